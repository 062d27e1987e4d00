// SPDX-License-Identifier: GPL-2.0-only
// Keeps MEBIBYTES of objects alive and replaces them over and over, so that all
// that a profiler follows is full. An answer to every line on standard input: the
// pauses of the collector since the last one, in ms, [scavenges, full
// collections]; and how many times everything was replaced. "collect" has it
// collect everything first.
//
// usage: node --expose-gc pauses.js MEBIBYTES MEBIBYTES_PER_SECOND
'use strict';
const { PerformanceObserver, constants } = require('node:perf_hooks');

const PART = 256; // records, of about 256 bytes each
const parts = Number(process.argv[2]) * 16;
const perSecond = Number(process.argv[3]) * 16;
const ring = new Array(parts).fill(null);
let made = 0;
let pauses = [[], []];

new PerformanceObserver((list) => {
  for (const { detail, duration } of list.getEntries()) {
    const full = detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
    const young = detail.kind === constants.NODE_PERFORMANCE_GC_MINOR;
    if (full || young) pauses[full ? 1 : 0].push(duration);
  }
}).observe({ entryTypes: ['gc'] });

// What a service makes besides: dead at once.
function garbage() {
  let sum = 0;
  for (let i = 0; i < 400; i++) sum += [i, `text ${i}`, { i }].length;
  return sum;
}

function makePart() {
  const list = [];
  for (let i = 0; i < PART; i++) {
    list.push({ id: made, at: i, name: `name ${i}`, next: list[i - 1],
      values: [i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, i + 7] });
  }
  ring[made++ % parts] = list;
}

const started = performance.now();
let base = 0;
function turn() {
  const due = base + (performance.now() - started) / 1000 * perSecond;
  for (let i = 0; i < 20 && made < due; i++) {
    makePart();
    garbage();
  }
  setTimeout(turn, 1);
}

process.stdin.on('data', (line) => {
  if (String(line) === 'collect\n') globalThis.gc();
  console.log(JSON.stringify({ pauses, rounds: made / parts }));
  pauses = [[], []];
});
process.stdin.on('end', () => process.exit(0));
while (made < parts) makePart();
base = made;
console.log('ready');
turn();
