// SPDX-License-Identifier: GPL-2.0-only
// A program in TypeScript that keeps Buffers. Tests compile it.
//
// Commands: work { calls, size }: answers with the bytes that it keeps since.
import * as control from '../lib/control.js';
import { Kind, Store } from './store';

interface Work {
  calls: number;
  size: number;
}

const store = new Store<string>(Kind.Session);

function handle(size: number): void {
  store.remember(size); // site
}

control.ready({}, {
  work: ({ calls, size }: Work): { bytes: number } => {
    for (let i: number = 0; i < calls; i++) {
      handle(size);
    }
    return { bytes: calls * size };
  },
});
