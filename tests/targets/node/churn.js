// SPDX-License-Identifier: GPL-2.0-only
// Code, workers, buffers and objects that come and go, and a bounded cache: for
// as many seconds as it is told, or until it is killed.
'use strict';
const { Worker, isMainThread } = require('node:worker_threads');

const cache = new Map();
let round = 0;

// New code all the time: compiled, run hot, and dropped.
function makeCode() {
  const name = `generated${round}`;
  const f = new Function('n', `function ${name}(n) { const kept = [];
    for (let i = 0; i < n; i++) kept.push({ i, text: 'x' + i + ${round} });
    return kept; } return ${name}(n);`);
  for (let i = 0; i < 20; i++) f(200);
}

function fillCache() {
  cache.set(round % 50, { buffer: Buffer.alloc(20000), list: new Array(500).fill(round) });
}

function step() {
  round++;
  if (round % 20 === 0) makeCode();
  fillCache();
  if (isMainThread && round % 500 === 499) {
    const worker = new Worker(__filename, { argv: ['1'] });
    worker.on('error', () => {});
  }
}

setInterval(step, 50);
const seconds = Number(process.argv[2] || 0);
if (seconds) setTimeout(() => process.exit(0), seconds * 1000);
if (isMainThread) process.stdout.write('{"state": "ready"}\n');
