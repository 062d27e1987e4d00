// SPDX-License-Identifier: GPL-2.0-only
// How a test and a program of this folder talk: lines of JSON. The program says
// that it is ready; then the test sends commands, and each has one answer.
//
//   ready(more, commands)   commands: { name: (argument) => answer or promise }
//
// Every program knows three commands by itself: `truth` collects all garbage and
// answers with what is left, in bytes; `collect` collects it once; `end` ends the
// program.
'use strict';
const readline = require('node:readline');
const v8 = require('node:v8');
const vm = require('node:vm');

let gc;

// Needs no flag on the command line: a production process has none either.
function collectGarbage() {
  if (!gc) {
    v8.setFlagsFromString('--expose-gc');
    gc = vm.runInNewContext('gc');
  }
  gc();
}

// What the last requests leave behind (closing sockets, timers) goes first.
// Three times: finalizers and weak callbacks release more.
async function settled() {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    collectGarbage();
  }
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  return { heapUsed, external, arrayBuffers, rss };
}

function say(object) {
  process.stdout.write(JSON.stringify(object) + '\n');
}

function ready(more = {}, commands = {}) {
  const collect = () => (collectGarbage(), {});
  const known = { truth: settled, collect, ...commands };
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const [name, argument] = JSON.parse(line);
    if (name === 'end') process.exit(0);
    say(await known[name](argument));
  });
  lines.on('close', () => process.exit(0));
  say({ state: 'ready', version: process.version, ...more });
}

module.exports = { collectGarbage, ready, settled };
