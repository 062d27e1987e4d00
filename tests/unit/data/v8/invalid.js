// SPDX-License-Identifier: GPL-2.0-only
// Optimised code that becomes invalid while it waits for a call; tells V8's own
// idea of the stack, and waits for tools/v8_image to take a picture.
// Argument: the function that optimises.
'use strict';
const fs = require('fs');
const native = (code) => new Function('f', code);
const invalidate = native('%DeoptimizeFunction(f)');

function stop() {
	Error.prepareStackTrace = (error, sites) => sites.filter(
		(s) => s.getFileName() === __filename).map((s) => [
		s.getFunctionName() || '', s.getScriptNameOrSourceURL() || '',
		s.getLineNumber(), s.getColumnNumber()].join('\t')).join('\n');
	const stack = new Error().stack;
	fs.writeSync(1, stack.replace(/^/gm, 'expect ') + '\n');
	fs.writeSync(1, 'ready\n');
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function nothing(stopping) {
	if (!stopping)
		return 1;
	invalidate(outer);
	stop();
	return 2;
}

function inner(stopping) {
	let x = nothing(false);
	x += nothing(stopping); // inlined, and not the last call
	return x + nothing(false);
}

function outer(stopping) {
	let x = nothing(false) * 2;
	x += inner(stopping);
	x += nothing(false);
	return x + inner(false);
}

native('%NeverOptimizeFunction(f)')(nothing);
for (const f of [inner, outer])
	native('%PrepareFunctionForOptimization(f)')(f);
for (let i = 0; i < 1000; i++)
	outer(false);
native(`%${process.argv[2]}(f)`)(outer);
outer(false);
setImmediate(outer, true); // no code of the module itself on the stack
