// SPDX-License-Identifier: GPL-2.0-only
// What is known of V8's heaps: parts of resident memory, isolates, collections.

const V8_STACK = "v8 heap";

function sumOf(list, value) {
	return list.reduce((sum, item) => sum + (value(item) || 0), 0);
}

// {name: bytes}; NULL when it is not known, or of several processes.
function splitResident(model) {
	const d = model.data, rss = sumOf(d.targets, (t) => t.rss_bytes);
	const heap = sumOf(d.v8.heaps, (h) => h.live_bytes);
	const native = sumOf(model.stacks, (s) => s.memory === V8_STACK ? 0 : s.live);
	if (!heap || d.targets.length > 1)
		return null;
	return {"V8 heap, live": heap, "native, outstanding": native,
		other: Math.max(0, rss - heap - native)};
}

// A bar, and what its parts are.
function drawSplit(parts, into) {
	const colours = ["var(--heap)", "var(--live)", "var(--soft)"];
	const bar = document.createElement("div"), key = document.createElement("p");
	bar.className = "bar";
	key.className = "legend";
	Object.entries(parts).forEach(([name, bytes], i) => {
		const part = document.createElement("div"), item = document.createElement("span");
		part.style.flexGrow = bytes;
		part.style.background = colours[i];
		item.style.setProperty("--swatch", colours[i]);
		item.textContent = `${name} ${formatBytes(bytes)}`;
		bar.append(part);
		key.append(item);
	});
	into.replaceChildren(bar, key);
}

function describePauses(count, seconds) {
	return count ? `${formatCount(count)} of ${(1000 * seconds / count).toFixed(1)} ms` : "none";
}

function describeThread(heap, alone) {
	const where = heap.tid && heap.tid !== heap.pid ? `worker (thread ${heap.tid})` : "main thread";
	return alone ? where : `pid ${heap.pid}, ${where}`;
}

function fillHeaps(heaps, alone, table) {
	const head = table.createTHead().insertRow(), body = table.createTBody();
	for (const title of ["Isolate", "Live after the last full collection", "Growth/min between them",
		"Full collections", "Scavenges", "To follow objects"]) {
		const cell = document.createElement("th");
		cell.scope = "col";
		cell.textContent = title;
		head.append(cell);
	}
	for (const h of heaps) {
		const row = body.insertRow(), pauses = h.scavenges + h.full_collections;
		for (const text of [
			describeThread(h, alone),
			h.live_bytes ? `${formatBytes(h.live_bytes)}, ${formatDuration(h.live_seconds_ago)} ago` : "not known yet",
			h.growth_bytes_per_minute === undefined ? "not known yet" : formatChange(h.growth_bytes_per_minute),
			describePauses(h.full_collections, h.full_collection_seconds),
			describePauses(h.scavenges, h.scavenge_seconds),
			pauses ? `${(1000 * h.following_seconds / pauses).toFixed(2)} ms of each` : "",
		])
			row.insertCell().textContent = text;
	}
}

// "Array 60 %, (number) 12 %"
function describeTypes(types) {
	return types.map((t) => `${clean(t.name)} ${formatPercent(t.share)}`).join(", ");
}

function fillV8(model, parts) {
	const v8 = model.data.v8;
	parts.section.hidden = !v8;
	if (!v8)
		return;
	const split = splitResident(model);
	parts.split.hidden = !split;
	if (split)
		drawSplit(split, parts.split);
	parts.refused.hidden = !v8.refused;
	parts.refused.textContent = v8.refused ? `Its objects are not followed: ${clean(v8.refused)}` : "";
	parts.table.hidden = !v8.heaps.length;
	fillHeaps(v8.heaps, model.data.targets.length === 1, parts.table);
}
