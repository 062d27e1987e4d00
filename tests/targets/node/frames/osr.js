// SPDX-License-Identifier: GPL-2.0-only
// A loop that V8 optimises while it runs (OSR), with a function in it that keeps
// Buffers now and then, and others that do not.
//
// Commands: work { rounds, every, size }: answers with the bytes that it keeps.
'use strict';
const { ready } = require('../lib/control.js');

const kept = [];

function keep(size) {
  kept.push(Buffer.alloc(size)); // site
}

function mix(x) {
  let sum = 0;
  for (let i = 0; i < 50; i++) sum += x ^ i;
  return sum;
}

function loop(rounds, every, size) {
  let x = 0;
  for (let i = 0; i < rounds; i++) { // loop
    x += mix(i);
    if (i % every === 0)
      keep(size); // site
    x += mix(x);
    x -= 1;
  }
  return x;
}

ready({}, {
  work: ({ rounds, every, size }) => {
    loop(rounds, every, size);
    return { bytes: rounds / every * size };
  },
});
