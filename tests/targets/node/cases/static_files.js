// SPDX-License-Identifier: GPL-2.0-only
// A static file server with a table of its transfers, for a status page. It
// strikes a transfer off on `finish`, which an aborted one never reaches; the
// fixed one does so on `close`, which comes always.
//
// usage: static_files.js leak|fixed FILE
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const { pipeline } = require('node:stream');
const { ready } = require('../lib/control.js');
const { handle } = require('../lib/handle.js');

const [variant, file] = process.argv.slice(2);
const transfers = new Map();
let last = 0;

function track(request, response) {
  const id = ++last;
  const transfer = {
    id,
    path: request.url,
    started: Date.now(),
    headers: { ...request.headers },
    bytesPerTick: new Array(3000).fill(0), // site
    sent: 0,
  };
  transfers.set(id, transfer);
  response.once(variant === 'leak' ? 'finish' : 'close',
    () => transfers.delete(id));
  return transfer;
}

const server = http.createServer((request, response) => {
  handle();
  const transfer = track(request, response);
  response.setHeader('content-length', fs.statSync(file).size);
  const stream = fs.createReadStream(file);
  stream.on('data', (chunk) => { transfer.sent += chunk.length; });
  pipeline(stream, response, () => {});
});
server.listen(0, '127.0.0.1', () => ready({ port: server.address().port }, {
  kept: () => ({ count: transfers.size }),
}));
