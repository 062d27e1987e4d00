// SPDX-License-Identifier: GPL-2.0-only
// Holds objects at a known rate beside a lot of garbage. Lines on standard
// input: "leak BYTES_PER_SECOND", "hold" (stop leaking), "rest" (no garbage
// either), "drop" (let go of all of it), "truth" (collect all garbage, say what is
// left), "start" and "stop" a worker that leaks, too. Each is answered with a line
// of JSON.
//
// usage: v8_heap.js GARBAGE_BYTES_PER_SECOND
'use strict';
const { Worker, isMainThread, threadId } = require('node:worker_threads');
const v8 = require('node:v8');
const vm = require('node:vm');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

class Rec {
  constructor(i) {
    this.id = i;
    this.name = 'n' + i;
    this.next = null;
  }
}
const REC_BYTES = 110; // about: with its string, and its place in an array
let kept = [];
let sink, serial = 0;

function leakRecs(bytes) {
  const list = [];
  for (let left = bytes; left > 0; left -= REC_BYTES) list.push(new Rec(serial++));
  kept.push(list);
}

function leakArray() {
  kept.push(new Array(40000).fill(serial));
}

function garbage(bytes) {
  for (let left = bytes; left > 0; left -= 250) {
    sink = { a: left, b: [left, 1, 2], c: 'x' + left, d: { e: left } };
  }
}

let leaking = 0, rate = 0, last = performance.now(), arrays = last;
// Uneven steps: what repeats evenly can fall in step with the sampling.
function step() {
  const now = performance.now();
  const seconds = Math.min((now - last) / 1000, 0.2);
  last = now;
  if (leaking) {
    leakRecs(leaking * seconds);
    if (now - arrays > 500) {
      leakArray();
      arrays = now;
    }
  }
  for (let part = 0; part < 8; part++) garbage(rate * seconds / 8);
  setTimeout(step, 5 + 20 * Math.random());
}

function truth() {
  for (let i = 0; i < 3; i++) gc();
  return { heapUsed: process.memoryUsage().heapUsed };
}

let worker;
const commands = {
  leak: (n) => { leaking = Number(n); return {}; },
  hold: () => { leaking = 0; return {}; },
  rest: () => { leaking = rate = 0; return {}; },
  drop: () => { leaking = 0; kept = []; return {}; },
  truth,
  start: () => {
    worker = new Worker(__filename, { argv: [String(rate / 4)] });
    return new Promise((resolve) => worker.once('message', resolve));
  },
  stop: () => worker.terminate().then(() => ({})),
};

function main() {
  const lines = require('node:readline').createInterface(process.stdin);
  lines.on('line', async (line) => {
    const [name, argument] = line.split(' ');
    console.log(JSON.stringify(await commands[name](argument)));
  });
  lines.on('close', () => process.exit(0));
  console.log(JSON.stringify({ state: 'ready' }));
}

rate = Number(process.argv[2]);
step();
if (isMainThread) {
  main();
} else {
  const { parentPort } = require('node:worker_threads');
  leaking = 2e6;
  setInterval(gc, 1000);
  parentPort.postMessage({ threadId });
}
