// SPDX-License-Identifier: GPL-2.0-only
// Allocates as fast as it can: objects, strings, arrays, maps, Buffers; a part
// lives for a while. An answer to every line on standard input: operations so
// far, and what was used.
'use strict';
const { usage } = require('./usage.js');

const ring = new Array(50000).fill(null);
let operations = 0;

function operation(i) {
  const record = { id: i, name: `name ${i}`, list: [i, i + 1, i + 2] };
  const map = new Map([[record.name, record], [i, record.list]]);
  const text = JSON.stringify(record);
  if (i % 8 === 0) record.body = Buffer.from(text);
  ring[i % ring.length] = map;
  return text.length;
}

function turn() {
  for (let i = 0; i < 500; i++) operation(operations++);
  setImmediate(turn);
}

process.stdin.on('data', () =>
  console.log(JSON.stringify({ operations, ...usage() })));
process.stdin.on('end', () => process.exit(0));
console.log('ready');
turn();
