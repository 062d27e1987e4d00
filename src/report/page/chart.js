// SPDX-License-Identifier: GPL-2.0-only
// Memory over time, with the two moments that are compared.

const CHART = {height: 190, left: 70, right: 10, top: 10, bottom: 24};

function svg(name, attributes, text) {
	const node = document.createElementNS("http://www.w3.org/2000/svg", name);
	for (const key in attributes)
		node.setAttribute(key, attributes[key]);
	if (text !== undefined)
		node.textContent = text;
	return node;
}

function drawChart(model, into, view, pick) {
	const width = Math.max(into.clientWidth, 300);
	const {height, left, right, top, bottom} = CHART;
	const points = model.moments;
	const most = Math.max(1, ...points.map((m) => Math.max(m.live, m.resident || 0)));
	const end = points[points.length - 1].seconds || 1;
	const x = (m) => left + (width - left - right) * m.seconds / end;
	const y = (value) => height - bottom - (height - top - bottom) * value / most;
	const last = points[points.length - 1];
	const picture = svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img",
		"aria-label": `Outstanding memory went from ${formatBytes(points[0].live)} to ${formatBytes(last.live)} in ${last.label}`});
	for (let i = 0; i <= 4; i++) {
		const value = most * i / 4;
		picture.append(svg("line", {class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value)}));
		picture.append(svg("text", {x: left - 6, y: y(value) + 4, "text-anchor": "end"}, formatBytes(value)));
	}
	for (let i = 0; i <= 6; i++) {
		const seconds = end * i / 6;
		picture.append(svg("text", {x: x({seconds}), y: height - 6,
			"text-anchor": i === 6 ? "end" : i ? "middle" : "start"}, formatDuration(seconds)));
	}
	const from = x(points[view.from]), to = x(points[view.to]);
	picture.append(svg("rect", {class: "span", x: Math.min(from, to), y: top,
		width: Math.abs(to - from), height: height - top - bottom}));
	for (const at of [from, to])
		picture.append(svg("line", {class: "mark", x1: at, x2: at, y1: top, y2: height - bottom}));
	const line = (key) => points.map((m) => `${x(m).toFixed(1)},${y(m[key]).toFixed(1)}`).join(" ");
	if (points.every((m) => m.resident !== undefined))
		picture.append(svg("polyline", {class: "resident", points: line("resident")}));
	if (model.data.v8)
		picture.append(svg("polyline", {class: "heap", points: line("heap")}));
	picture.append(svg("polyline", {class: "live", points: line("live")}));
	picture.addEventListener("click", (event) => {
		const area = picture.getBoundingClientRect();
		const at = ((event.clientX - area.left) / area.width * width - left) / (width - left - right) * end;
		let best = 0;
		points.forEach((m, i) => {
			if (Math.abs(m.seconds - at) < Math.abs(points[best].seconds - at))
				best = i;
		});
		pick(best);
	});
	into.replaceChildren(picture);
}

function fillMoments(model, table) {
	const head = table.createTHead().insertRow();
	const titles = ["since attach", "outstanding", "resident"];
	if (model.data.v8)
		titles.push("of it on V8's heap");
	for (const title of titles) {
		const cell = document.createElement("th");
		cell.scope = "col";
		cell.textContent = title;
		head.append(cell);
	}
	const body = table.createTBody();
	for (const m of model.moments) {
		const row = body.insertRow();
		row.insertCell().textContent = m.label;
		row.insertCell().textContent = formatBytes(m.live);
		row.insertCell().textContent = m.resident === undefined ? "" : formatBytes(m.resident);
		if (model.data.v8)
			row.insertCell().textContent = formatBytes(m.heap);
	}
}
