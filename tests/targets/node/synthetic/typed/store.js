// SPDX-License-Identifier: GPL-2.0-only
// A leak in TypeScript. store.js and store.js.map are what the compiler makes
// of it (tsc 5.9 --target es2017 --module commonjs --sourceMap).
var Colour;
(function (Colour) {
    Colour[Colour["Red"] = 0] = "Red";
    Colour[Colour["Green"] = 1] = "Green";
    Colour[Colour["Blue"] = 2] = "Blue";
})(Colour || (Colour = {}));
class TypedStore {
    constructor(name) {
        this.name = name;
        this.held = null;
    }
    async remember(colour) {
        await null;
        this.keep(colour);
    }
    keep(colour) {
        this.held = { array: new Array(100).fill(colour), next: this.held }; // site
    }
}
const store = new TypedStore('typed');
const small = require('../../lib/small.js');
small({
    keep: (i) => { void store.remember(i % 3); },
});
//# sourceMappingURL=store.js.map