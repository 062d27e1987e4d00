// SPDX-License-Identifier: GPL-2.0-only
// Part of app.ts. What is only for the compiler moves the lines.
export interface Entry<T> {
  readonly key: string;
  value: T;
}

type Maker = (size: number) => Buffer;

export enum Kind {
  Session = 'session',
  Upload = 'upload',
}

const make: Maker = (size) => {
  const room: Buffer = Buffer.alloc(size); // site
  return room;
};

export class Store<T> {
  private readonly entries: Entry<T | Buffer>[] = [];

  constructor(public readonly kind: Kind) {}

  remember(size: number): number {
    const entry: Entry<Buffer> = {
      key: `${this.kind}:${this.entries.length}`,
      value: make(size),
    };
    return this.entries.push(entry);
  }
}
