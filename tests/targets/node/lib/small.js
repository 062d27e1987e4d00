// SPDX-License-Identifier: GPL-2.0-only
// A program with some leaking functions: runs them in turn, each as often.
//
// Commands: start { perSecond: calls of each a second, limit: calls of each,
// garbage: calls of makeGarbage for each turn of 10 ms }; stop, which answers
// with { counts: calls of each }.
'use strict';
const { ready } = require('./control.js');
const { makeGarbage } = require('../synthetic/garbage.js');

module.exports = function small(functions) {
  let timer;
  let calls = 0;
  ready({ functions: Object.keys(functions) }, {
    start: ({ perSecond, limit = Infinity, garbage = 20 }) => {
      const started = Date.now();
      timer = setInterval(() => {
        const due = perSecond * (Date.now() - started) / 1000;
        for (; calls < Math.min(due, limit); calls++) {
          for (const call of Object.values(functions)) call(calls);
        }
        for (let i = 0; i < garbage; i++) makeGarbage();
      }, 10);
      return {};
    },
    stop: () => {
      clearInterval(timer);
      return { calls };
    },
  });
};
