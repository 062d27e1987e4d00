// SPDX-License-Identifier: GPL-2.0-only
// A gateway that asks an upstream server for every request. When the upstream's
// first answer ends in the same packet in which a second, unasked-for answer
// begins, node before 22.21 and 24.10 never frees the parser (nodejs/node#60025):
// it keeps request, response and socket.
//
// usage: double_response.js UPSTREAM_PORT
'use strict';
const http = require('node:http');
const { ready } = require('../lib/control.js');
const { handle } = require('../lib/handle.js');

const upstream = Number(process.argv[2]);

function askUpstream(path, answered) {
  const body = JSON.stringify({ path });
  const headers = { 'content-length': body.length };
  const columns = new Array(2500).fill(0); // site
  const request = http.request({ port: upstream, path, headers }, (response) => {
    response.setEncoding('utf8');
    let text = '';
    response.on('data', (part) => { text += part; });
    response.on('end', () => answered(text + columns.length));
  });
  request.on('error', (error) => answered(`error: ${error.message}`));
  request.end(body);
}

const server = http.createServer((request, response) => {
  handle();
  askUpstream(request.url, (text) => response.end(text));
});
server.listen(0, '127.0.0.1', () => ready({ port: server.address().port }));
