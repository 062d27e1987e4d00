// SPDX-License-Identifier: GPL-2.0-only
// Function objects enough to fill pages of V8's heap, in steps of a word, so that
// some of them end with their page. Each keeps a Buffer.
//
// Commands: work { calls, size }, which answers with the bytes kept.
'use strict';
const { ready } = require('../lib/control.js');

const kept = [];
const gaps = [];

function keeper() {
  const keep = (size) => {
    kept.push(Buffer.allocUnsafeSlow(size)); // site
  };
  return keep;
}

ready({}, {
  work: ({ calls, size }) => {
    const keepers = new Array(calls);
    for (let i = 0; i < calls; i++) {
      keepers[i] = keeper();
      if (i % 64 === 0) gaps.push(new Array(1 + i / 64 % 9).fill(i));
    }
    // Twice they survive, and stay where they are then.
    for (let i = 0; i < 3; i++) global.gc();
    for (const each of keepers) each(size);
    return { bytes: calls * size };
  },
});
