// SPDX-License-Identifier: GPL-2.0-only
// Methods of every kind, each of which keeps Buffers.
//
// Commands: work { calls, size }: of each; answers with the bytes of each, and
// with how V8 names the methods in a stack trace.
'use strict';
const { ready } = require('../lib/control.js');

const kept = [];
const traces = {};

function keep(name, size) {
  if (!traces[name]) traces[name] = new Error().stack.split('\n')[2].trim();
  kept.push(Buffer.alloc(size));
}

class Base {
  inherited(size) { keep('inherited', size); }
  overridden(size) { keep('overridden', size); }
  static shared(size) { keep('shared', size); }
  get size() { keep('size', this.bytes); return 0; }
  async later(size) { await null; keep('later', size); }
  *steps(size) { for (;;) { keep('steps', size); yield 1; } }
  #hidden(size) { keep('hidden', size); }
  open(size) { this.#hidden(size); }
  constructor(bytes) { this.bytes = bytes; }
}

class Derived extends Base {
  overridden(size) {
    super.overridden(size);
    keep('derived', size);
  }
  constructed(size) { return new Made(size); }
}

class Made {
  constructor(size) { keep('constructed', size); }
}

// So many that V8 keeps them in a table.
class Large {}
for (let i = 0; i < 300; i++) Large.prototype[`method${i}`] = () => i;
Object.defineProperty(Large.prototype, 'added', {
  value: function added(size) { keep('added', size); },
});

function Old() {}
Old.prototype.assigned = function (size) { keep('assigned', size); };

const literal = { member(size) { keep('member', size); } };
module.exports.exported = function (size) { keep('exported', size); };
function plain(size) { keep('plain', size); }
function borrowed(size) { keep('borrowed', size); }

ready({}, {
  work: async ({ calls, size }) => {
    const derived = new Derived(size), old = new Old(), large = new Large();
    const steps = derived.steps(size);
    for (let i = 0; i < calls; i++) {
      derived.inherited(size);
      derived.overridden(size);
      Derived.shared(size);
      derived.size;
      await derived.later(size);
      steps.next();
      derived.open(size);
      derived.constructed(size);
      large.added(size);
      old.assigned(size);
      literal.member(size);
      module.exports.exported(size);
      plain(size);
      borrowed.call(derived, size);
    }
    return { bytes: calls * size, traces };
  },
});
