// SPDX-License-Identifier: GPL-2.0-only
// What this process has used since it started, in ms: CPU of all threads, time
// in garbage collections, and how many these were.
'use strict';
const { PerformanceObserver } = require('node:perf_hooks');

let gc = 0;
let collections = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    gc += entry.duration;
    collections++;
  }
}).observe({ entryTypes: ['gc'] });

exports.usage = () => {
  const { user, system } = process.cpuUsage();
  return { cpu: (user + system) / 1000, gc, collections };
};
