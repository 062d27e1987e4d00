// SPDX-License-Identifier: GPL-2.0-only
// Load at a rate: `operation` is called `perSecond` times a second (0: as often
// as `width` operations at a time allow) until `limit` calls were made or stop()
// is called. Failures are counted, and end nothing.
'use strict';

class Load {
  constructor(operation, { perSecond = 0, limit = Infinity, width = 32 }) {
    Object.assign(this, { operation, perSecond, limit, width });
    this.begun = 0;
    this.done = 0;
    this.failed = 0;
    this.firstError = null;
    this.microseconds = [];
    this.started = process.hrtime.bigint();
    this.timer = setInterval(() => this.issue(), 5);
  }

  elapsed() {
    return Number(process.hrtime.bigint() - this.started) / 1e9;
  }

  issue() {
    const due = this.perSecond ? this.perSecond * this.elapsed() : Infinity;
    while (this.timer && this.begun < Math.min(due, this.limit) &&
           this.begun - this.done - this.failed < this.width) {
      this.one(this.begun++);
    }
  }

  async one(number) {
    const before = process.hrtime.bigint();
    try {
      await this.operation(number);
      this.done++;
      this.microseconds.push(Number(process.hrtime.bigint() - before) / 1000);
    } catch (error) {
      this.failed++;
      this.firstError ??= error.message;
    }
    if (!this.perSecond) this.issue();
  }

  // Ends it when what is under way has ended, or 5 s later.
  async stop() {
    const seconds = this.elapsed();
    const finished = this.done;
    clearInterval(this.timer);
    this.timer = null;
    const under = () => this.begun - this.done - this.failed;
    for (let i = 0; i < 500 && under() > 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.microseconds.sort((a, b) => a - b);
    const at = (share) =>
      this.microseconds[Math.floor(this.microseconds.length * share)] ?? 0;
    return { begun: this.begun, done: this.done, failed: this.failed,
      unfinished: under(), error: this.firstError, seconds,
      perSecond: finished / seconds, p50: at(0.5), p99: at(0.99) };
  }
}

module.exports = { Load };
