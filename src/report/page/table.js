// SPDX-License-Identifier: GPL-2.0-only
// The table of stacks: sorted, filtered, each one to be opened.

const ROWS_AT_ONCE = 100;

class Table {
	constructor(model, parts, openInGraph) {
		Object.assign(this, {model, openInGraph}, parts);
		this.order = {key: "rank", down: false};
		this.limit = ROWS_AT_ONCE;
		this.words = "";
		this.opened = new Set();
		this.columns = this.makeColumns();
		this.rank();
		this.makeHead();
		this.makeKinds();
		this.more.addEventListener("click", () => {
			this.limit *= 5;
			this.draw();
		});
		this.kind.addEventListener("change", () => this.filter(this.words));
	}

	makeColumns() {
		const m = this.model;
		const columns = [];
		if (m.judged)
			columns.push({key: "kind", title: "Verdict", up: true});
		if (m.isDiff)
			columns.push({key: "growth", title: "Change", show: formatChange},
				{key: "before", title: "Before", show: formatBytes},
				{key: "live", title: "After", show: formatBytes});
		else
			columns.push({key: "growth", title: "Growth/min", show: formatChange},
				{key: "live", title: "Outstanding", show: formatBytes},
				{key: "objects", title: "Blocks", show: formatCount},
				{key: "age", title: "Mean age", show: formatDuration});
		columns.push({key: "place", title: "Call path", up: true});
		return columns;
	}

	// Leaks first, then by growth.
	rank() {
		const frames = this.model.frames;
		for (const s of this.model.stacks) {
			s.place = s.blame >= 0 ? frames[s.blame].name
				: s.path.length ? frames[s.path[s.path.length - 1]].name : "[no stack]";
			s.before = s.series[0] || 0;
			s.text = s.path.map((i) => frames[i].text).join("\n");
		}
		[...this.model.stacks]
			.sort((a, b) => (b.kind === "leak") - (a.kind === "leak") ||
				Math.abs(b.growth) * (this.model.isDiff || b.growth > 0 ? 1 : 0) -
				Math.abs(a.growth) * (this.model.isDiff || a.growth > 0 ? 1 : 0) || b.live - a.live)
			.forEach((s, i) => { s.rank = i; });
	}

	makeHead() {
		const row = document.createElement("tr");
		for (const column of this.columns) {
			const cell = document.createElement("th");
			const button = document.createElement("button");
			cell.scope = "col";
			cell.className = column.show ? "number" : "";
			button.type = "button";
			button.textContent = column.title;
			button.addEventListener("click", () => {
				const same = this.order.key === column.key;
				this.order = {key: column.key, down: same ? !this.order.down : !column.up};
				this.draw();
			});
			cell.append(button);
			row.append(cell);
			column.cell = cell;
		}
		this.head.replaceChildren(row);
	}

	makeKinds() {
		const kinds = new Set(this.model.stacks.map((s) => s.kind).filter(Boolean));
		for (const kind of Object.keys(VERDICTS).filter((k) => kinds.has(k)))
			this.kind.append(new Option(kind, kind));
		this.kind.parentElement.hidden = !kinds.size;
	}

	filter(words) {
		this.words = words.trim().toLowerCase();
		this.limit = ROWS_AT_ONCE;
		this.draw();
	}

	draw() {
		const {key, down} = this.order, kind = this.kind.value;
		const list = this.model.stacks.filter((s) =>
			(!kind || s.kind === kind) && (!this.words || s.text.includes(this.words)));
		list.sort((a, b) => {
			const x = a[key] ?? "", y = b[key] ?? "";
			const order = x < y ? -1 : x > y ? 1 : a.rank - b.rank;
			return down ? -order : order;
		});
		for (const column of this.columns)
			column.cell.ariaSort = column.key === key ? (down ? "descending" : "ascending") : "none";
		this.body.replaceChildren(...list.slice(0, this.limit).map((s) => this.makeRow(s)));
		this.more.hidden = list.length <= this.limit;
		this.shown.textContent =
			`${formatCount(Math.min(list.length, this.limit))} of ${formatCount(list.length)} stacks`;
	}

	makeRow(stack) {
		const row = document.createElement("tr");
		for (const column of this.columns) {
			const cell = row.insertCell();
			if (column.key === "kind")
				cell.append(this.badge(stack.kind));
			else if (column.key === "place")
				this.fillPlace(cell, stack);
			else
				cell.textContent = column.show(stack[column.key]);
			if (column.show)
				cell.className = "number";
		}
		return row;
	}

	badge(kind) {
		const badge = document.createElement("span");
		badge.className = "badge";
		badge.style.setProperty("--swatch", VERDICTS[kind] || "#ddd");
		badge.textContent = kind || "?";
		return badge;
	}

	fillPlace(cell, stack) {
		const button = document.createElement("button");
		const frame = this.model.frames[stack.blame];
		const list = document.createElement("div");
		// Functions of scripts have it in their names.
		const where = frame && frame.file
			? frame.file.split("/").pop() + (frame.line ? `:${frame.line}` : "") : "";
		const toggle = (open) => {
			button.ariaExpanded = open;
			list.replaceChildren(...(open ? [this.makeList(stack), this.graphButton(stack)] : []));
			this.opened[open ? "add" : "delete"](stack);
		};
		cell.className = "place";
		button.type = "button";
		button.textContent = stack.place +
			(where && !stack.place.includes(where) ? `  ${where}` : "");
		button.addEventListener("click", () => toggle(!this.opened.has(stack)));
		cell.append(button);
		const objects = stack.types.length ? `on V8's heap: ${describeTypes(stack.types)}` : "";
		for (const text of [objects, stack.reasons].filter(Boolean)) {
			const reason = document.createElement("span");
			reason.className = "reason";
			reason.textContent = text;
			cell.append(reason);
		}
		cell.append(list);
		toggle(this.opened.has(stack));
	}

	// Innermost first, as in the text report.
	makeList(stack) {
		const list = document.createElement("ol");
		for (const index of [...stack.path].reverse()) {
			const f = this.model.frames[index], item = document.createElement("li");
			const where = document.createElement("span");
			item.textContent = f.name;
			where.className = "soft";
			where.textContent = "  " + [f.file + (f.file && f.line ? `:${f.line}` : ""),
				f.inlined ? "(inlined)" : f.module && `(${f.module})`].filter(Boolean).join("  ");
			item.append(where);
			list.append(item);
		}
		return list;
	}

	graphButton(stack) {
		const button = document.createElement("button");
		button.type = "button";
		button.textContent = "Show in the graph";
		button.addEventListener("click", () => this.openInGraph(stack));
		return button;
	}
}
