// SPDX-License-Identifier: GPL-2.0-only
// A server that is busy with small Buffers, as many as there is time for, and
// receives into a slab of 4 MiB now and then, which it keeps all of for the
// sake of a few bytes.
//
// usage: slabs.js PER_SECOND
'use strict';
const { ready } = require('../lib/control.js');

const SLAB = 4 << 20;
const perSecond = Number(process.argv[2]);
const sessions = [];
let sum = 0;

function serve() {
  for (let i = 0; i < 200; i++) {
    const message = Buffer.allocUnsafeSlow(64 + i);
    message[0] = i;
    sum += message[0];
  }
}

function receive() {
  const slab = Buffer.allocUnsafeSlow(SLAB); // site
  slab.fill(1);
  sessions.push(slab.subarray(0, 32));
}

function turn() {
  serve();
  setImmediate(turn);
}

setInterval(() => receive(), 1000 / perSecond);
setImmediate(turn);
ready({}, { kept: () => ({ count: sessions.length,
  bytes: sessions.length * SLAB, sum }) });
