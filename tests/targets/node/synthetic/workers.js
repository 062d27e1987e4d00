// SPDX-License-Identifier: GPL-2.0-only
// Two worker threads, each with an isolate of its own; each leaks in a function
// of its own, the second twice as much. The main thread leaks nothing.
//
// Commands: start { perSecond, limit }: bytes of the first worker; stop, which
// answers with the truth as leak.js does.
'use strict';
const { Worker, isMainThread, parentPort, workerData } =
  require('node:worker_threads');
const { collectGarbage, ready } = require('../lib/control.js');
const { makeGarbage } = require('./garbage.js');

const RECORD = 100; // elements of the array that one call leaks

let held = null;

function leakInFirst(i) {
  held = { array: new Array(RECORD).fill(i), next: held }; // site
}

function leakInSecond(i) {
  held = { array: new Array(RECORD).fill(i), next: held }; // site
}

// Array (JSArray 32 bytes, elements 16 and 8 each) and pair (56: properties,
// elements, two fields and two of slack that go when its constructor is known).
const SIZE = 32 + 16 + 8 * RECORD + 40;

function work() {
  const { leak, factor } = workerData;
  const call = leak === 'first' ? leakInFirst : leakInSecond;
  let timer;
  let count = 0;
  parentPort.on('message', ([command, how]) => {
    if (command === 'collect') {
      collectGarbage();
      parentPort.postMessage('collected');
    } else if (command === 'start') {
      const started = Date.now();
      timer = setInterval(() => {
        const bytes = how.perSecond * factor * (Date.now() - started) / 1000;
        const due = Math.min(bytes, how.limit * factor) / SIZE;
        for (; count < due; count++) call(count);
        for (let i = 0; i < 20; i++) makeGarbage();
      }, 10);
    } else {
      clearInterval(timer);
      parentPort.postMessage({ function: call.name, count,
        heap: count * SIZE, external: 0 });
    }
  });
  parentPort.postMessage('up');
}

function answer(worker) {
  return new Promise((resolve) => worker.once('message', resolve));
}

async function main() {
  const told = (command) => Promise.all(workers.map((worker) => {
    worker.postMessage([command]);
    return answer(worker);
  }));
  const workers = [['first', 1], ['second', 2]].map(([leak, factor]) =>
    new Worker(__filename, { workerData: { leak, factor } }));
  await Promise.all(workers.map(answer));
  ready({}, {
    start: (how) => {
      for (const one of workers) one.postMessage(['start', how]);
      return {};
    },
    stop: async () => {
      const [first, second] = await told('stop');
      return { kinds: { first, second } };
    },
    collect: async () => {
      await told('collect');
      return {};
    },
  });
}

if (isMainThread) main();
else work();
