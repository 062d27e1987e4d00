// SPDX-License-Identifier: GPL-2.0-only
// An ECMAScript module with functions of every kind, each keeps Buffers.
//
// Commands: work { calls, size }: of each; answers with the bytes of each.
import control from '../lib/control.js';

const kept = [];

class Store {
  #list = [];
  method(size) {
    this.#list.push(Buffer.alloc(size)); // site
  }
  static still(size) {
    kept.push(Buffer.alloc(size)); // site
  }
}

const arrow = (size) => {
  kept.push(Buffer.alloc(size)); // site
};

async function later(size) {
  await null;
  kept.push(Buffer.alloc(size)); // site
}

function* generate(size) {
  for (;;) {
    kept.push(Buffer.alloc(size)); // site
    yield 1;
  }
}

const store = new Store();

control.ready({}, {
  work: async ({ calls, size }) => {
    const generator = generate(size);
    for (let i = 0; i < calls; i++) {
      store.method(size);
      Store.still(size);
      arrow(size);
      generator.next();
      await later(size);
    }
    return { bytes: calls * size };
  },
});
