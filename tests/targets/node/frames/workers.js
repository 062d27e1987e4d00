// SPDX-License-Identifier: GPL-2.0-only
// Three threads with an isolate each keep Buffers, every one in a function of
// its own.
//
// Commands: work { calls, size }, which answers with the bytes of each thread.
'use strict';
const { Worker, isMainThread, parentPort, workerData } =
  require('node:worker_threads');
const { ready } = require('../lib/control.js');

const kept = [];

function inMain(size) {
  kept.push(Buffer.alloc(size)); // site
}

function inFirst(size) {
  kept.push(Buffer.alloc(size)); // site
}

function inSecond(size) {
  kept.push(Buffer.alloc(size)); // site
}

if (isMainThread) {
  const workers = ['first', 'second'].map((workerData) =>
    new Worker(__filename, { workerData }));
  const answers = () => Promise.all(workers.map((worker) =>
    new Promise((resolve) => worker.once('message', resolve))));

  answers().then(() => ready({}, {
    work: async (what) => {
      const done = answers();
      for (const worker of workers) worker.postMessage(what);
      for (let i = 0; i < what.calls; i++) inMain(what.size);
      await done;
      return { bytes: what.calls * what.size };
    },
  }));
} else {
  const leak = workerData === 'first' ? inFirst : inSecond;

  parentPort.on('message', ({ calls, size }) => {
    for (let i = 0; i < calls; i++) leak(size);
    parentPort.postMessage('done');
  });
  parentPort.postMessage('up');
}
