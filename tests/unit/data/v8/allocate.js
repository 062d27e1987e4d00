// SPDX-License-Identifier: GPL-2.0-only
// Allocates in optimised code, in an inlined function; says where.
// Argument: the function that optimises, or OSR: while a loop runs, which leaves
// the function with other code than what runs.
'use strict';
const fs = require('fs');
const native = (code) => new Function('f', code);

const kept = new Array(1024);
function nothing() { return 1; }
native('%NeverOptimizeFunction(f)')(nothing);

function other(i) {
	return i * 3 + nothing() | 0;
}

function leak(i) {
	const slot = i & 1023;
	kept[slot] = { i, slot, next: null }; // allocates
}

function hot(n) {
	let x = 0;
	for (let i = 0; i < n; i++) {
		x = x + other(i) | 0;
		leak(i); // inlined
		x = x + other(x) | 0;
	}
	return x;
}

if (process.argv[2] !== 'OSR') {
	native('%PrepareFunctionForOptimization(f)')(hot);
	for (let i = 0; i < 1000; i++)
		hot(100);
	native(`%${process.argv[2]}(f)`)(hot);
	hot(1);
}
const source = fs.readFileSync(__filename, 'utf8').split('\n');
for (const [name, mark] of [['leak', '// allocates'], ['hot', '// inlined']]) {
	const line = 1 + source.findIndex((l) => l.endsWith(mark));
	fs.writeSync(1, `expect ${name}\t${__filename}\t${line}\t0\n`);
}
fs.writeSync(1, 'ready\n');
for (;;)
	hot(1e8);
