// SPDX-License-Identifier: GPL-2.0-only
// An express server that proxies a part of its paths. The leaking variant
// creates the middleware anew for each request, and each hangs a listener on
// the server; the fixed one creates it once.
//
// usage: proxy.js leak|fixed UPSTREAM_PORT
'use strict';
const express = require('express');
const { createProxyMiddleware } = require('http-proxy-middleware');
const { ready } = require('../lib/control.js');
const { handle } = require('../lib/handle.js');

const [variant, upstream] = process.argv.slice(2);

// Where each tenant's requests go.
function routes() {
  const table = {};
  for (let tenant = 0; tenant < 200; tenant++) {
    table[`tenant${tenant}.localhost:${upstream}`] =
      `http://127.0.0.1:${upstream}/${tenant}`;
  }
  return table;
}

function options() {
  return { target: `http://127.0.0.1:${upstream}`, changeOrigin: true,
    router: routes() };
}

const app = express();
app.use((request, response, next) => { handle(); next(); });
if (variant === 'leak') {
  app.use('/api', function forward(request, response, next) {
    const middleware = createProxyMiddleware(options()); // site
    middleware(request, response, next); // hangs on the server
  });
} else {
  app.use('/api', createProxyMiddleware(options()));
}
const server = app.listen(0, '127.0.0.1', () => {
  server.setMaxListeners(0); // in production a warning, once
  ready({ port: server.address().port },
    { kept: () => ({ count: server.listenerCount('close') }) });
});
