// SPDX-License-Identifier: GPL-2.0-only
// A leak in TypeScript. store.js and store.js.map are what the compiler makes
// of it (tsc 5.9 --target es2017 --module commonjs --sourceMap).

declare const require: (id: string) => any;

interface Link<T> {
  array: T[];
  next: Link<T> | null;
}

enum Colour { Red, Green, Blue }

class TypedStore {
  private held: Link<Colour> | null = null;

  constructor(readonly name: string) {}

  public async remember(colour: Colour): Promise<void> {
    await null;
    this.keep(colour);
  }

  private keep(colour: Colour): void {
    this.held = { array: new Array<Colour>(100).fill(colour), next: this.held }; // site
  }
}

const store = new TypedStore('typed');
const small = require('../../lib/small.js');

small({
  keep: (i: number) => { void store.remember(i % 3); },
});
