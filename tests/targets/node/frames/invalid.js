// SPDX-License-Identifier: GPL-2.0-only
// Optimised code that becomes invalid while it waits for a call, which goes on to
// keep Buffers. Needs --allow-natives-syntax.
//
// Commands: work { calls, size, optimise }: answers with the bytes that it keeps.
// optimise: the function that does.
'use strict';
const { ready } = require('../lib/control.js');

const kept = [];

function keep(calls, size) {
  for (let i = 0; i < calls; i++) kept.push(Buffer.alloc(size));
}

function spend(x) {
  return Math.max(x, kept.length);
}

// Not inlined.
function invalidate(calls, size) {
  if (calls) %DeoptimizeFunction(outer);
  keep(calls, size);
}

function inner(calls, size) {
  spend(calls);
  invalidate(calls, size); // site
  return spend(size);
}

function outer(calls, size) {
  let x = process.hrtime()[0];
  x += inner(calls, size); // site
  x += process.hrtime()[0];
  return x + spend(size);
}

ready({}, {
  work: ({ calls, size, optimise }) => {
    %NeverOptimizeFunction(invalidate);
    %PrepareFunctionForOptimization(inner);
    %PrepareFunctionForOptimization(outer);
    for (let i = 0; i < 100; i++) outer(0, size);
    new Function('f', `%${optimise}(f)`)(outer);
    outer(0, size);
    outer(calls, size);
    return { bytes: calls * size };
  },
});
