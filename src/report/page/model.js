// SPDX-License-Identifier: GPL-2.0-only
// The document (docs/report.schema.json, docs/diff.schema.json) as the page
// uses it, numbers for people, and trees of stacks.

const VERDICTS = {
	leak: "#f08a8f", unclear: "#f3cf83", plateau: "#93bdf0",
	"start-up": "#c3c8d0", sawtooth: "#86d0bf",
};

function formatBytes(value) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
	let size = Math.abs(value), unit = 0;
	while (size >= 1023.95 && unit < units.length - 1) {
		size /= 1024;
		unit++;
	}
	return `${value < 0 ? "-" : ""}${size.toFixed(unit ? 1 : 0)} ${units[unit]}`;
}

function formatChange(value) {
	return (value > 0 ? "+" : "") + formatBytes(value);
}

function formatCount(value) {
	return Math.round(value).toLocaleString("en-US");
}

function formatDuration(seconds) {
	const two = (large, a, small, b) => {
		const whole = Math.round(seconds / small), ratio = large / small;
		const rest = whole % ratio;
		return `${Math.floor(whole / ratio)} ${a}${rest ? ` ${rest} ${b}` : ""}`;
	};
	if (seconds < 59.5)
		return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s`;
	if (seconds < 3599.5)
		return two(60, "min", 1, "s");
	return seconds < 86370 ? two(3600, "h", 60, "min") : two(86400, "d", 3600, "h");
}

function formatPercent(share) {
	const percent = 100 * share;
	return Number.isFinite(percent) ? `${percent.toFixed(percent < 9.95 ? 1 : 0)} %` : "?";
}

// What a target calls itself is shown, and nothing else done with it: no markup
// is made of it, and what a terminal or the eye would obey is made visible.
function clean(text) {
	return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
		(c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function makeModel(data) {
	const isDiff = data.format === "leakbpf diff";
	const moments = isDiff
		? [{label: "before", live: data.before.live_bytes},
		   {label: "after", live: data.after.live_bytes}]
		: data.moments.map((m) => ({
			seconds: m.seconds, label: formatDuration(m.seconds),
			live: m.live_bytes, resident: m.resident_bytes,
		}));
	const frames = data.frames.map((f) => ({
		name: clean(f.function), file: clean(f.file || ""), line: f.line || 0,
		module: clean(f.module || ""), inlined: !!f.inlined, root: !!f.root,
	}));
	const groups = new Map();
	frames.forEach((f, i) => {
		const key = `${f.root}\n${f.module}\n${f.name}`;
		f.text = `${f.name}\n${f.file}\n${f.module}`.toLowerCase();
		f.group = groups.get(key) ?? i;
		groups.set(key, f.group);
		// Calls from several lines are one box of the graph.
		if (f.group !== i && f.line !== frames[f.group].line)
			frames[f.group].manyLines = true;
	});
	const stacks = data.stacks.map((s) => {
		const series = isDiff ? [s.before, s.after] : s.series.slice();
		const live = isDiff ? s.after : s.live_bytes.value;
		// The past knows blocks of any age; the present may not (--older).
		if (!isDiff && series.length)
			series[series.length - 1] = live;
		return {
			path: s.frames, series, live,
			blame: s.blame === undefined ? -1 : s.frames[s.blame],
			objects: isDiff ? undefined : s.live_objects.value,
			growth: isDiff ? s.after - s.before : s.growth_bytes_per_minute,
			age: s.mean_age_seconds, pid: s.pid, end: s.end,
			memory: s.memory, types: s.types || [],
			kind: s.verdict ? s.verdict.kind : undefined,
			reasons: s.verdict ? clean(s.verdict.reasons) : "",
			sure: s.certain,
		};
	});
	const judged = stacks.some((s) => s.kind);
	if (data.v8)
		moments.forEach((m, i) => {
			m.heap = sumOf(stacks, (s) => s.memory === V8_STACK ? s.series[i] : 0);
		});
	return {data, isDiff, moments, frames, stacks, judged};
}

function makeNode(frame, parent) {
	return {frame, parent, level: parent ? parent.level + 1 : 0, value: 0,
		before: 0, after: 0, kinds: null, children: new Map(), x: 0};
}

function addToNode(node, value, before, after, kind) {
	node.value += value;
	node.before += before;
	node.after += after;
	if (kind) {
		node.kinds ??= {};
		node.kinds[kind] = (node.kinds[kind] || 0) + value;
	}
}

// `view`: {from, to, show, inverted}. Children are ordered by size.
function makeTree(model, view) {
	const root = makeNode(-1, null);
	for (const stack of model.stacks) {
		const before = stack.series[view.from] || 0;
		const after = stack.series[view.to] || 0;
		const value = view.show === "growth" ? Math.max(0, after - before)
			: view.show === "decline" ? Math.max(0, before - after) : after;
		if (value <= 0)
			continue;
		let node = root;
		addToNode(root, value, before, after, stack.kind);
		for (let i = 0; i < stack.path.length; i++) {
			const frame = model.frames[stack.path[view.inverted ? stack.path.length - 1 - i : i]].group;
			let child = node.children.get(frame);
			if (!child)
				node.children.set(frame, child = makeNode(frame, node));
			node = child;
			addToNode(node, value, before, after, stack.kind);
		}
	}
	const open = [root];
	for (let node = open.pop(); node; node = open.pop()) {
		node.list = [...node.children.values()].sort((a, b) => b.value - a.value);
		let x = node.x;
		for (const child of node.list) {
			child.x = x;
			x += child.value;
			if (child.children.size || child.value > 0)
				open.push(child);
		}
	}
	return root;
}

// The kind of verdict that most of a node's bytes have.
function mainKind(node) {
	let best;
	for (const kind in node.kinds || {})
		if (!best || node.kinds[kind] > node.kinds[best])
			best = kind;
	return best;
}
