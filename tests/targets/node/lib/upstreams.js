// SPDX-License-Identifier: GPL-2.0-only
// Servers behind the servers under test. Each resolves to its port.
'use strict';
const http = require('node:http');
const net = require('node:net');

function listening(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1',
    () => resolve(server.address().port)));
}

// Parses no request: a packet gets an answer. `second` comes in the same packet
// as its end.
function answers(second) {
  return listening(net.createServer((socket) => {
    socket.setNoDelay();
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
      setTimeout(() => socket.write(`-half${second}`), 1);
    });
  }));
}

const upstreams = {
  // The second answer stays incomplete: the parser is never freed.
  twice: () => answers(
    'HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\npart'),
  once: () => answers(''),
  // A proper server.
  plain: () => listening(http.createServer((request, response) => {
    response.end(`this is ${request.url}`);
  })),
};

module.exports = { upstreams };
