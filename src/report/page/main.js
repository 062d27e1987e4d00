// SPDX-License-Identifier: GPL-2.0-only
// Puts the page together.

const byId = (id) => document.getElementById(id);

function describeRun(model) {
	const d = model.data;
	if (model.isDiff)
		return {title: "What changed between two captures",
			figures: `${clean(d.before.name)}: ${formatBytes(d.before.live_bytes)} after ${formatDuration(d.before.elapsed_seconds)} → ` +
				`${clean(d.after.name)}: ${formatBytes(d.after.live_bytes)} after ${formatDuration(d.after.elapsed_seconds)}`};
	const t = d.targets, live = d.totals.live_bytes;
	const margin = live.high > live.low ? ` (${formatBytes(live.low)} to ${formatBytes(live.high)})` : "";
	const rss = t.reduce((sum, p) => sum + p.rss_bytes, 0);
	return {
		title: t.length === 1 ? `${clean(t[0].name)} (pid ${t[0].pid})` : `${t.length} processes`,
		figures: `${formatDuration(d.elapsed_seconds)} since attach. Outstanding ${formatBytes(live.value)}${margin} in ` +
			`${formatCount(d.totals.live_objects.value)} blocks, ${formatChange(d.totals.growth_bytes_per_minute)}/min, ` +
			`resident ${formatBytes(rss)}. ` + (t.length === 1 ? clean(t[0].command) : ""),
	};
}

function fillHead(model) {
	const d = model.data, run = describeRun(model);
	document.title = `leakbpf: ${run.title}`;
	byId("title").textContent = run.title;
	byId("figures").textContent = run.figures;
	if (d.diagnosis) {
		byId("headline").textContent = clean(d.diagnosis.headline);
		byId("headline").classList.toggle("leak", d.diagnosis.kind === "leak");
		byId("headline").hidden = false;
	}
	if (d.losses && d.losses.length) {
		byId("losses").textContent = "Not complete: " +
			d.losses.map((l) => `${formatCount(l.count)} ${l.what}`).join("; ");
		byId("losses").hidden = false;
	}
}

function fillKey(model, colour) {
	const swatches = colour === "change"
		? {grew: "hsl(5 80% 63%)", unchanged: "hsl(5 80% 93%)", shrank: "hsl(215 80% 63%)"}
		: colour === "verdict" && model.judged ? VERDICTS : {};
	byId("key").replaceChildren(...Object.entries(swatches).map(([name, swatch]) => {
		const item = document.createElement("span");
		item.style.setProperty("--swatch", swatch);
		item.textContent = name;
		return item;
	}));
}

function start() {
	const model = makeModel(JSON.parse(byId("data").textContent));
	const last = Math.max(model.moments.length - 1, 0);
	const graph = new Graph(model, byId("graph"), byId("tip"), byId("status"));
	const table = new Table(model, {
		head: byId("table").tHead, body: byId("table").tBodies[0], kind: byId("kind"),
		shown: byId("shown"), more: byId("more"),
	}, (stack) => {
		byId("inverted").checked = false;
		update();
		graph.zoomTo(graph.find(stack.path.map((i) => model.frames[i].group)));
		byId("graph").focus();
	});
	const update = () => {
		const view = {
			from: +byId("from").value, to: +byId("to").value, show: byId("show").value,
			shape: byId("shape").value, colour: byId("colour").value, inverted: byId("inverted").checked,
		};
		for (const id of ["from", "to"])
			byId(`${id}-text`).textContent = model.moments[view[id]]
				? `${model.moments[view[id]].label}: ${formatBytes(model.moments[view[id]].live)}` : "";
		if (!model.isDiff && model.moments.length)
			drawChart(model, byId("chart"), view, (index) => {
				byId("to").value = index;
				update();
			});
		fillKey(model, view.colour);
		graph.show(view);
	};
	fillHead(model);
	for (const id of ["from", "to"])
		byId(id).max = last;
	byId("to").value = last;
	if (model.isDiff) {
		byId("time").hidden = true;
		byId("show").value = "growth";
		byId("show").options[0].textContent = "all that is there after";
		byId("show").options[1].textContent = "growth";
		byId("show").options[2].textContent = "decline";
	} else {
		byId("heap-key").hidden = !model.data.v8;
		fillV8(model, {section: byId("v8"), split: byId("v8-split"),
			refused: byId("v8-refused"), table: byId("heaps")});
		fillMoments(model, byId("moments"));
	}
	if (!model.judged) {
		byId("colour").options[0].textContent = "by function";
		byId("colour").value = model.isDiff ? "change" : "verdict";
	}
	for (const id of ["from", "to", "show", "shape", "colour", "inverted"])
		byId(id).addEventListener("input", update);
	byId("search").addEventListener("input", () => {
		graph.search(byId("search").value);
		table.filter(byId("search").value);
	});
	byId("reset").addEventListener("click", () => graph.zoomTo(graph.root));
	document.addEventListener("keydown", (event) => {
		if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
			event.preventDefault();
			byId("search").focus();
		}
	});
	addEventListener("resize", update);
	update();
	table.draw();
	document.documentElement.dataset.ready = "yes";
}

start();
