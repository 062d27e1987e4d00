// SPDX-License-Identifier: GPL-2.0-only
// Buffers that are kept, made by a function that is interpreted at first and
// compiled after a while, beside twice as many that are dropped.
//
// Commands: work { rounds, calls, size }, which answers with the bytes kept.
'use strict';
const { ready } = require('../lib/control.js');

const kept = [];

function makeBuf(size) {
  return Buffer.alloc(size, 1); // site
}

class Store {
  add(size) {
    kept.push(makeBuf(size)); // site
  }
}

const store = new Store();

function dropBuf(size) {
  return Buffer.alloc(size, 1).length;
}

function round(calls, size) {
  for (let i = 0; i < calls; i++) {
    store.add(size);
    dropBuf(size);
    dropBuf(size);
  }
}

ready({}, {
  work: async ({ rounds, calls, size }) => {
    const before = kept.length;
    for (let i = 0; i < rounds; i++) {
      round(calls, size);
      await new Promise(setImmediate);
    }
    return { bytes: (kept.length - before) * size };
  },
});
