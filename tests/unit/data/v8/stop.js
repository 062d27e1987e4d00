// SPDX-License-Identifier: GPL-2.0-only
// Calls through functions of every kind, in every tier, and makes objects of
// every kind; tells V8's own idea of the stack, and what the objects are, and
// waits for tools/v8_image to take a picture.
'use strict';
const vm = require('vm');
const fs = require('fs');

const native = (code) => {
	try {
		return new Function('f', code);
	} catch (e) {
		return null; // not in this version
	}
};
const prepare = native('%PrepareFunctionForOptimization(f)');
const baseline = native('%CompileBaseline(f)');
const maglev = native('%OptimizeMaglevOnNextCall(f)');
const print = native('%DebugPrint(f)');
const turbofan = native('%OptimizeFunctionOnNextCall(f)');

let stopping = false;

function stop(value) {
	if (!stopping)
		return value;
	Error.stackTraceLimit = 100;
	Error.prepareStackTrace = (error, sites) => sites.map((s) => [
		s.getFunctionName() || '', s.getScriptNameOrSourceURL() || '',
		s.getLineNumber(), s.getColumnNumber()].join('\t')).join('\n');
	const stack = new Error().stack;
	fs.writeSync(1, stack.replace(/^/gm, 'expect ') + '\n');
	show();
	fs.writeSync(1, 'ready\n');
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
	return value;
}

class Rec { constructor() { this.a = 1; } }
class Table extends Map {}
class Derived extends Rec { other() {} }
class Pool extends require('events') { get size() { return 1; } }
function Shape() { Rec.prototype.a = 1; }
Shape.prototype = Object.create(Pool.prototype, { constructor: { value: Shape }});
class Slow extends Rec {}
for (let i = 0; i < 20; i++)
	Slow.prototype['method' + i] = () => i;
delete Slow.prototype.method7;
const dictionary = {}, sparse = [];
for (let i = 0; i < 2000; i++)
	dictionary['k' + i] = i;
delete dictionary.k3;
sparse[1e7] = 1;
const v8Major = parseInt(process.versions.v8);
const long = 'what is longer than this is sliced, not copied '.repeat(9);
// "+8": what the word at this offset of the object points to.
const objects = {
	'Rec': new Rec(), 'Object': { a: 1 }, 'Array': [1, 2], 'Map': new Map(),
	'Set': new Set(), 'WeakMap': new WeakMap(), 'Table': new Table(),
	'Date': new Date(), 'Promise': Promise.resolve(1), 'Error': new Error(),
	'RegExp': /a/, 'ArrayBuffer': new ArrayBuffer(9),
	'Uint8Array': new Uint8Array(9), 'Buffer': Buffer.from('buffer'),
	'Proxy': new Proxy({}, {}), '(closure)': () => long,
	'(symbol)': Symbol('s'), '(string)': long.toLowerCase(),
	'(sliced string)': long.slice(3, 100),
	'(concatenated string)': long + process.pid,
	'(array)+16': ['a', {}], '(double array)+16': [1.5, 2.5],
	'(object shape)+0': {}, [`(context)+${v8Major < 12 ? 32 : 40}`]: stop,
	'(map entries)+24': new Map([[1, 2]]), '(set entries)+24': new Set([1]),
	'(weak map entries)+24': new WeakMap([[{}, 1]]),
	'(dictionary)+8': dictionary, '(dictionary)+16': sparse,
	'(object properties)+8': Object.assign(() => 1, { a: 1, b: 2 }),
	'Pool': new Pool(), 'Shape': new Shape(), 'Derived': new Derived(),
	'Slow': new Slow(),
};
function show() {
	for (const name in objects) {
		fs.writeSync(1, `object ${name}\n`);
		print(objects[name]);
	}
}

// In what a function was called: [function, how to bring it to its tier].
const tiers = [];
function tier(f, optimise) {
	if (optimise)
		tiers.push([f, optimise]);
	return f;
}

class Session {
	constructor(next) { this.next = next; this.value = 1; }
	open(depth) { return depth + this.next(depth); }
	static create(depth) {
		return new Session(stop).open(depth); }
	get size() { return many(this.value); }
	static start() { return run(); }
}
class Renewed extends Session {
	again() { return Renewed.start(); }
}

const table = {};
table.handler = function (depth) { return Session.create(depth); };
const arrow = (depth) => table.handler(depth) + 1;

function inlinedTwice(x) { let y = x * 2;
	return arrow(y); }
function inlined(x) { return 1 +
	inlinedTwice(x + 1); }
function optimised(x) {
	if (x > 1e9)
		return -1;
	return inlined(x) + inlined.length;
}
function midTier(x) {
	const result = optimised(x); /* comment */
	return result + 1;
}
function sparkplug(x) {
	const wide = { a: x, b: [x, x, x], c: `${x}` };
	for (let i = 0; i < 1; i++)
		wide.a += midTier(x);
	return wide.a;
}
// Names of more than 74 context locals are kept elsewhere.
const many = new Function('sparkplug', `return function manyLocals(x) {
	${Array.from({ length: 75 }, (_, i) => `let v${i} = x;`).join('\n')}
	const all = () => ${Array.from({ length: 75 },
		(_, i) => `v${i}`).join(' + ')};
	return sparkplug(x) + all();
}
//# sourceURL=many-locals.js`)(sparkplug);

const placed = vm.runInThisContext('(function placed(s) { return s.size; })',
	{ filename: '/srv/placed.js', lineOffset: 100, columnOffset: 20 });
const wrapped = vm.compileFunction('return placed(session);',
	['placed', 'session'], { filename: 'file:///srv/with%20blank.mjs' });
const separators = vm.runInThisContext(
	'/*\u2028*/ (function \u2028 größe(f) {\r\n\r return f() })',
	{ filename: '/srv/größe.js' });

function* generator() { yield separators(() => wrapped(placed, session)); }
const session = new Session(stop);
const run = () => [0].map(() => generator().next().value)[0];

tier(sparkplug, baseline);
tier(midTier, maglev);
tier(optimised, turbofan);
for (const [f] of tiers)
	prepare(f);
for (let i = 0; i < 100; i++)
	run();
for (const [f, optimise] of tiers)
	optimise(f);
run();
stopping = true;
new Renewed(stop).again();
