// SPDX-License-Identifier: GPL-2.0-only
// Needs --allow-natives-syntax: what leaks is optimised, with a function inlined
// into another one.
//
// Commands: work { calls, size }, which answers with the bytes kept.
'use strict';
const { ready } = require('../lib/control.js');

const kept = [];

function inner(size) {
  kept.push(Buffer.alloc(size)); // site
}

function outer(size) {
  const before = kept.length;
  inner(size); // site
  return kept.length - before;
}

%PrepareFunctionForOptimization(inner);
%PrepareFunctionForOptimization(outer);
outer(1);
outer(1);
%OptimizeFunctionOnNextCall(outer);
outer(1);

ready({}, {
  work: ({ calls, size }) => {
    for (let i = 0; i < calls; i++) outer(size);
    return { bytes: calls * size };
  },
});
