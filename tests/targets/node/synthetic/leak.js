// SPDX-License-Identifier: GPL-2.0-only
// Leaks of every kind at a known rate, beside as much garbage as the machine
// gives.
//
// usage: leak.js KIND,KIND...
//
// Commands: start { perSecond: bytes of each kind, garbage: calls of
// makeGarbage a second, 0 for as many as possible, limit: bytes of each kind };
// stop, which answers with the truth: { kinds: { KIND: { function, count, heap,
// external } }, garbageBytes, seconds }.
'use strict';
const { ready, settled } = require('../lib/control.js');
const { BIG, KINDS, forget } = require('./kinds.js');
const { makeGarbage } = require('./garbage.js');

const kinds = process.argv[2].split(',');
const size = {};
let how;
let counts;
let garbage; // calls; a call of another length counts in part
let garbageSize;
let started;
let running = false;

// Bytes on the heap and outside of it of one call, measured on so many calls
// that what is made once does not count, and after as many that warm it up.
async function calibrate(kind) {
  const leak = KINDS[kind];
  const calls = BIG.has(kind) ? 100 : 10000;
  for (let i = 0; i < calls; i++) leak(i);
  const before = await settled();
  for (let i = 0; i < calls; i++) leak(i);
  const after = await settled();
  forget(kind);
  return { heap: (after.heapUsed - before.heapUsed) / calls,
    external: (after.arrayBuffers - before.arrayBuffers) / calls };
}

// Bytes of one call: of many, the longest stretch without a collection.
function calibrateGarbage() {
  let longest = 0;
  for (let i = 0; i < 50; i++) {
    const before = process.memoryUsage().heapUsed;
    const part = makeGarbage();
    const bytes = process.memoryUsage().heapUsed - before;
    longest = Math.max(longest, bytes / part);
  }
  return longest;
}

function seconds() {
  return Number(process.hrtime.bigint() - started) / 1e9;
}

function leak() {
  const now = seconds();
  // Not in step with anything: V8's sampler is a regular one.
  kinds.sort(() => Math.random() - 0.5);
  for (const kind of kinds) {
    const each = size[kind].heap + size[kind].external;
    const due = Math.min(how.perSecond * now, how.limit) / each;
    for (; counts[kind] < due; counts[kind]++) KINDS[kind](counts[kind]);
  }
}

// Leaks somewhere in eight calls of makeGarbage. V8 collects between two turns:
// what came first in each would always stand at the start of a page, and never
// at its end, where objects are sampled.
function turn() {
  if (!running) return;
  const leakAt = Math.floor(9 * Math.random());
  const dueGarbage = how.garbage ? how.garbage * seconds() :
    garbage + 8 * Math.random();
  for (let i = 0; i <= 8; i++) {
    if (i === leakAt) {
      const part = Math.random();
      garbage += part * makeGarbage(Math.ceil(2000 * part));
      leak();
    }
    if (i < 8 && garbage < dueGarbage) garbage += makeGarbage();
  }
  if (how.garbage) setTimeout(turn, 1);
  else setImmediate(turn);
}

const commands = {
  start: (argument) => {
    how = { garbage: 0, limit: Infinity, ...argument };
    counts = Object.fromEntries(kinds.map((kind) => [kind, 0]));
    garbage = 0;
    started = process.hrtime.bigint();
    running = true;
    setImmediate(turn);
    return {};
  },
  stop: () => {
    running = false;
    const truth = {};
    for (const kind of kinds) {
      truth[kind] = { function: KINDS[kind].name, count: counts[kind],
        heap: Math.round(counts[kind] * size[kind].heap),
        external: Math.round(counts[kind] * size[kind].external) };
    }
    return { kinds: truth, garbageBytes: garbage * garbageSize,
      seconds: seconds() };
  },
};

async function main() {
  for (const kind of kinds) size[kind] = await calibrate(kind);
  garbageSize = calibrateGarbage();
  ready({}, commands);
}
main();
