// SPDX-License-Identifier: GPL-2.0-only
// A loop that V8 optimises while it runs (OSR), and functions that are inlined
// into it: they are called in every round, and keep Buffers now and then.
//
// Commands: work { rounds, every, size }: answers with the bytes that each of the
// three paths keeps.
'use strict';
const { ready } = require('../lib/control.js');

const kept = [];

function keep(wanted, size) {
  if (wanted)
    kept.push(Buffer.alloc(size)); // site
}

function mix(x) {
  let sum = 0;
  for (let i = 0; i < 5; i++) sum += x ^ i;
  return sum;
}

function add(wanted, size) {
  keep(wanted, size); // site
  return mix(size);
}

function loop(rounds, every, size) {
  let x = 0;
  for (let i = 0; i < rounds; i++) { // loop
    x += mix(i);
    keep(i % every === 0, size); // site
    x += mix(x);
    add(i % every === 1, size); // site
    x += mix(x);
    keep(i % every === 2, size); // site
    x += mix(x);
  }
  return x;
}

ready({}, {
  work: ({ rounds, every, size }) => {
    loop(rounds, every, size);
    return { bytes: rounds / every * size };
  },
});
