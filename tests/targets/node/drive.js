// SPDX-License-Identifier: GPL-2.0-only
// The clients of the servers in cases/, and the upstream servers behind them.
//
// usage: drive.js OPERATION [UPSTREAM]
//
// Commands (lib/control.js): go { port, perSecond, limit, width }, done, stop.
'use strict';
const http = require('node:http');
const { ready } = require('./lib/control.js');
const { Load } = require('./lib/load.js');
const { upstreams } = require('./lib/upstreams.js');

const agent = new http.Agent({ keepAlive: true });

// A whole request and its answer.
function get(port, number) {
  return new Promise((resolve, reject) => {
    http.get({ port, agent, path: `/api/item/${number}` }, (response) => {
      if (response.statusCode !== 200) {
        reject(new Error(`status ${response.statusCode}`));
      }
      response.on('end', resolve);
      response.resume();
    }).on('error', reject);
  });
}

// A request whose client goes away when the first part of the answer is there.
function abort(port, number) {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, path: `/api/item/${number}` }, (response) => {
      response.once('data', () => request.destroy());
      response.on('error', () => {}); // aborted: as intended
      response.on('close', resolve);
    });
    request.on('error', (error) =>
      (request.destroyed ? resolve() : reject(error)));
  });
}

// A websocket: one message, one answer, closed by the client.
function talk(url) {
  const WebSocket = require('ws');
  return new Promise((resolve, reject) => {
    const websocket = new WebSocket(url, { rejectUnauthorized: false });
    websocket.on('open', () => websocket.send('session of some client'));
    websocket.on('message', () => websocket.close());
    websocket.on('close', resolve);
    websocket.on('error', reject);
  });
}

const operations = {
  get,
  abort,
  talk: (port, number) => talk(`ws://127.0.0.1:${port}/user/${number}`),
  talkTls: (port, number) => talk(`wss://127.0.0.1:${port}/user/${number}`),
};

async function main() {
  const [name, upstream] = process.argv.slice(2);
  const operation = operations[name];
  let load;
  ready(upstream ? { upstream: await upstreams[upstream]() } : {}, {
    go: (how) => {
      load = new Load((number) => operation(how.port, number), how);
      return {};
    },
    done: () => ({ done: load.done }),
    stop: () => load.stop(),
  });
}
main();
