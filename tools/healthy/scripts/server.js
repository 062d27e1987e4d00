// SPDX-License-Identifier: GPL-2.0-only
const http = require('http');
http.createServer((request, response) => {
	const items = [];
	for (let i = 0; i < 50; i++)
		items.push({ id: i, name: 'name' + i, url: request.url });
	const body = Buffer.from(JSON.stringify(items));
	response.setHeader('Content-Length', body.length);
	response.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
