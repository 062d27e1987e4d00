// SPDX-License-Identifier: GPL-2.0-only
// A leak in an ECMAScript module: a method, a static method and an arrow
// function, so that names can be compared with those that V8 gives.
//
// Commands: start { perSecond, limit }, stop (lib/small.js).
import small from '../lib/small.js';

let held = null;

class Store {
  add(i) {
    held = { array: new Array(100).fill(i), next: held }; // site
  }

  static remember(i) {
    held = { array: new Array(100).fill(i), next: held }; // site
  }
}

const store = new Store();
const leakInArrow = (i) => {
  held = { array: new Array(100).fill(i), next: held }; // site
};

small({
  'add': (i) => store.add(i),
  'remember': (i) => Store.remember(i),
  'leakInArrow': leakInArrow,
});
