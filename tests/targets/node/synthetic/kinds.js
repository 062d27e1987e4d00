// SPDX-License-Identifier: GPL-2.0-only
// One leaking function for each kind of memory. What a function leaks is kept
// in a list of pairs, so that no growing array disturbs the figures.
'use strict';

const held = {};

function keep(kind, value) {
  held[kind] = [value, held[kind]];
}

class Rec {
  constructor(number) {
    this.number = number;
    this.a = null;
    this.b = null;
    this.c = null;
    this.d = [number, number + 1, number + 2, number + 3];
  }
}

function leakObjects(i) {
  keep('objects', new Rec(i)); // site
}

function leakArrays(i) {
  keep('arrays', new Array(2000).fill(i)); // site
}

// Beyond 128 KiB: a page of its own.
function leakLargeArrays(i) {
  keep('largeArrays', new Array(40000).fill(i)); // site
}

function leakMaps(i) {
  const map = new Map();
  for (let k = 0; k < 60; k++) map.set(k, i); // site
  keep('maps', map);
}

const ROPE = 'part of a long rope, ';

// Concatenated, and never flattened: a tree of small nodes.
function leakRopes(i) {
  let rope = ROPE + i;
  for (let k = 0; k < 50; k++) rope += ROPE; // site
  keep('ropes', rope);
}

const TEXT = Buffer.alloc(10000, 'text');

// 30 characters that keep 10,000.
function leakSlices(i) {
  const text = TEXT.latin1Slice(i % 2, 10000); // site
  keep('slices', text.slice(100, 130));
}

function leakClosures(i) { // site
  const one = { i }; // site
  const two = [i, i]; // site
  keep('closures', () => one.i + two.length); // site
}

function leakPromises(i) {
  const never = new Promise(() => {}); // site
  never.then(() => i); // site
  keep('promises', never);
}

// What runs after the wait has no callers but the event loop.
async function leakAsync(i) {
  await null;
  keep('async', new Rec(i)); // site
}

// (module (import "e" "f" (func)) (func (export "g") call 0))
const WASM = Buffer.from('0061736d0100000001040160000002070101650166000003020' +
  '10007050101670001' + '0a0601040010000b', 'hex');
let wasmNumber = 0;
const { g: throughWasm } = new WebAssembly.Instance(
  new WebAssembly.Module(WASM),
  { e: { f: () => keep('wasm', new Rec(wasmNumber)) } }).exports;

// The object is made in JavaScript that compiled WebAssembly calls.
function leakFromWasm(i) {
  wasmNumber = i;
  throughWasm(); // site
}

// Out of Node's pool of 8 KiB slabs: 3 KiB each, so two fit.
function leakPooled() {
  keep('pooled', Buffer.allocUnsafe(3 << 10)); // site
}

function leakAlloc() {
  keep('alloc', Buffer.alloc(64 << 10)); // site
}

function leakUnsafe() {
  keep('unsafe', Buffer.allocUnsafe(64 << 10)); // site
}

function leakUnsafeSlow() {
  keep('unsafeSlow', Buffer.allocUnsafeSlow(64 << 10)); // site
}

const STRING = 'y'.repeat(64 << 10);

function leakFromString() {
  keep('fromString', Buffer.from(STRING, 'latin1')); // site
}

function leakTypedArrays() {
  keep('typedArrays', new Float64Array(8 << 10)); // site
}

const KINDS = {
  objects: leakObjects,
  arrays: leakArrays,
  largeArrays: leakLargeArrays,
  maps: leakMaps,
  ropes: leakRopes,
  slices: leakSlices,
  closures: leakClosures,
  promises: leakPromises,
  async: leakAsync,
  wasm: leakFromWasm,
  pooled: leakPooled,
  alloc: leakAlloc,
  unsafe: leakUnsafe,
  unsafeSlow: leakUnsafeSlow,
  fromString: leakFromString,
  typedArrays: leakTypedArrays,
};

// Kinds of which one call leaks 10 KB or more.
const BIG = new Set(['arrays', 'largeArrays', 'slices', 'alloc', 'unsafe',
  'unsafeSlow', 'fromString', 'typedArrays']);

function forget(kind) {
  held[kind] = null;
}

module.exports = { BIG, KINDS, forget };
