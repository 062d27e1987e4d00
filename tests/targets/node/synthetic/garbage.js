// SPDX-License-Identifier: GPL-2.0-only
// Garbage of mixed lifetimes, about a megabyte a call (of 2,000 rounds): most of it dies at once,
// a part survives some scavenges, and a ring of 2,000 objects is replaced over
// and over. Nothing of it leaks.
'use strict';

const ring = new Array(2000).fill(null);
let last = 0;

function makeGarbage(rounds = 2000) {
  const length = Math.floor(rounds * (0.5 + Math.random()));
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const record = { number: i, name: `name ${i}`, list: [i, i + 1, i + 2] };
    const list = new Array(30).fill(record);
    sum += list.map((one) => one.number).length;
    if (i % 50 === 0) {
      ring[last++ % ring.length] = { record, text: record.name.repeat(3) };
    }
  }
  return sum > 0 ? length / rounds : 0;
}

module.exports = { makeGarbage };
