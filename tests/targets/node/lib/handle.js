// SPDX-License-Identifier: GPL-2.0-only
// What else a service does for a request: some 300 KB of short-lived objects, now
// more, now less. V8 has allocation areas of 256 KiB, at whose ends leakbpf
// samples: a service that allocates the same bytes for every request would have
// the same places sampled over and over (docs/v8.md).
'use strict';
const { makeGarbage } = require('../synthetic/garbage.js');

module.exports = { handle: () => makeGarbage(500) };
