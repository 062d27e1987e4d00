// SPDX-License-Identifier: GPL-2.0-only
// A websocket server behind TLS that receives the first message of every
// connection into a slab of 10 MiB and remembers the session's id: a few bytes
// of the slab, which keep all of it.
//
// usage: slab.js leak|fixed KEY_FILE CERTIFICATE_FILE
'use strict';
const fs = require('node:fs');
const https = require('node:https');
const { WebSocketServer } = require('ws');
const { ready } = require('../lib/control.js');
const { handle } = require('../lib/handle.js');

const [variant, key, cert] = process.argv.slice(2);
const SLAB = 10 << 20;
const sessions = new Map();
let upgrades = 0;

function receive(message) {
  const slab = Buffer.allocUnsafeSlow(SLAB); // site
  slab.fill(0); // in production: filled by what arrives
  message.copy(slab);
  const id = slab.subarray(0, 32);
  return variant === 'leak' ? id : Buffer.from(id);
}

const websockets = new WebSocketServer({ noServer: true });
const server = https.createServer({
  key: fs.readFileSync(key), cert: fs.readFileSync(cert),
});
server.on('upgrade', (request, socket, head) => {
  handle();
  websockets.handleUpgrade(request, socket, head, (websocket) => {
    websocket.once('message', (message) => {
      sessions.set(++upgrades, receive(message));
      websocket.send('welcome');
    });
  });
});
server.listen(0, '127.0.0.1', () => ready({ port: server.address().port }, {
  kept: () => ({ count: sessions.size,
    bytes: variant === 'leak' ? sessions.size * SLAB : 0 }),
}));
