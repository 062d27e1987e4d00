// SPDX-License-Identifier: GPL-2.0-only
// An HTTP service: parses a query, looks records up, renders them as JSON.
// /stats answers with what was used so far: CPU and garbage collection, ms.
//
// usage: service.js PORT; prints a line when it listens.
'use strict';
const http = require('node:http');
const { usage } = require('./usage.js');

const records = Array.from({ length: 1000 }, (_, id) => ({
  id, name: `record ${id}`, tags: ['a', 'b', `tag ${id % 10}`], price: id / 7,
}));

http.createServer((request, response) => {
  if (request.url === '/stats') {
    response.end(JSON.stringify(usage()));
    return;
  }
  const query = new URL(request.url, 'http://localhost').searchParams;
  const from = Number(query.get('from') ?? 0);
  const found = records.slice(from, from + 20)
    .map((one) => ({ ...one, label: `${one.name}: ${one.tags.join(', ')}` }));
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ found }));
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
