// SPDX-License-Identifier: GPL-2.0-only
// A function that is inlined into itself, by way of another. Needs
// --allow-natives-syntax.
//
// Commands: work { calls, size }: answers with the bytes that it keeps.
'use strict';
const { ready } = require('../lib/control.js');

const kept = [];

// Not inlined.
function keep(size) {
  kept.push(Buffer.alloc(size));
}

function even(n, size) {
  if (n === 0) return keep(size); // site
  return odd(n - 1, size); // site
}

function odd(n, size) {
  return even(n - 1, size); // site
}

ready({}, {
  work: ({ calls, size }) => {
    %NeverOptimizeFunction(keep);
    %PrepareFunctionForOptimization(odd);
    %PrepareFunctionForOptimization(even);
    for (let i = 0; i < 100; i++) even(4, size);
    %OptimizeFunctionOnNextCall(even);
    for (let i = 0; i < calls; i++) even(4, size);
    return { bytes: (calls + 100) * size };
  },
});
