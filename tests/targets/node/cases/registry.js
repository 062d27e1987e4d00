// SPDX-License-Identifier: GPL-2.0-only
// A websocket server (package ws) with a singleton that lists all connections
// and from which the leaking variant never removes one.
//
// usage: registry.js leak|fixed
'use strict';
const http = require('node:http');
const { WebSocketServer } = require('ws');
const { ready } = require('../lib/control.js');
const { handle } = require('../lib/handle.js');

const variant = process.argv[2];

class Registry {
  static instance = new Registry();
  connections = [];

  add(websocket, request) {
    const outbox = new Array(3000).fill(null); // site
    const connection = { websocket, user: request.url, outbox };
    this.connections.push(connection);
    if (variant === 'leak') return;
    websocket.once('close', () => {
      this.connections.splice(this.connections.indexOf(connection), 1);
    });
  }
}

const server = http.createServer();
const websockets = new WebSocketServer({ server });
websockets.on('connection', (websocket, request) => {
  handle();
  Registry.instance.add(websocket, request);
  websocket.on('message', (message) => websocket.send(`seen: ${message}`));
});
server.listen(0, '127.0.0.1', () => ready({ port: server.address().port }, {
  kept: () => ({ count: Registry.instance.connections.length }),
}));
