// SPDX-License-Identifier: GPL-2.0-only
// The graph: a tree drawn on a canvas, walked with the keyboard or the mouse.

const ROW = 20, NARROWEST = 0.6, ROWS_MAX = 800;

class Graph {
	constructor(model, canvas, tip, status) {
		Object.assign(this, {model, canvas, tip, status});
		this.view = {};
		this.words = "";
		canvas.addEventListener("keydown", (e) => this.key(e));
		canvas.addEventListener("mousemove", (e) => this.hover(e));
		canvas.addEventListener("mouseleave", () => { tip.hidden = true; });
		canvas.addEventListener("click", (e) => {
			const node = this.nodeAt(e);
			if (node)
				this.zoomTo(node);
		});
		canvas.addEventListener("focus", () => this.draw());
		canvas.addEventListener("blur", () => this.draw());
		new ResizeObserver(() => this.draw()).observe(canvas.parentElement);
	}

	// A new tree; zoom and focus are kept where the same path is still there.
	show(view) {
		const keep = this.root ? [this.zoom, this.focus].map((n) => this.pathOf(n)) : null;
		const same = keep && this.view.inverted === view.inverted;
		this.view = {...view};
		this.root = makeTree(this.model, view);
		this.zoom = same ? this.find(keep[0]) : this.root;
		this.focus = same ? this.find(keep[1]) : this.root;
		this.search(this.words);
	}

	pathOf(node) {
		const path = [];
		for (; node.parent; node = node.parent)
			path.unshift(node.frame);
		return path;
	}

	find(path) {
		let node = this.root;
		for (const frame of path) {
			if (!node.children.has(frame))
				break;
			node = node.children.get(frame);
		}
		return node;
	}

	zoomTo(node) {
		this.zoom = this.focus = node;
		this.tell();
		this.draw();
	}

	// The outermost matches count, so that nothing counts twice.
	search(words) {
		this.words = words.trim().toLowerCase();
		this.matches = new Set();
		this.matched = 0;
		if (this.words) {
			this.model.frames.forEach((f, i) => {
				if (f.text.includes(this.words))
					this.matches.add(i);
			});
			const open = [this.root];
			for (let node = open.pop(); node; node = open.pop()) {
				if (this.matches.has(node.frame))
					this.matched += node.value;
				else
					open.push(...node.list);
			}
		}
		this.tell();
		this.draw();
	}

	name(node) {
		return node.parent ? this.model.frames[node.frame].name : "all";
	}

	describe(node) {
		const f = this.model.frames[node.frame];
		const lines = [this.name(node)];
		if (f && f.file)
			lines.push(f.file + (f.line && !f.manyLines ? `:${f.line}` : "") + (f.inlined ? " (inlined)" : ""));
		if (f && f.module)
			lines.push(f.module);
		const share = formatPercent(node.value / this.root.value);
		const what = this.view.show === "live" ? "outstanding" : this.view.show;
		lines.push(`${formatBytes(node.value)} ${what}, ${share}; ` +
			`${formatBytes(node.before)} → ${formatBytes(node.after)} (${formatChange(node.after - node.before)})`);
		const kind = mainKind(node);
		if (kind)
			lines.push(`mostly ${kind}`);
		return lines.join("\n");
	}

	tell() {
		let text = this.root.value > 0 ? this.describe(this.focus)
			: this.view.show === "live" ? "Nothing was outstanding at that moment."
				: `No ${this.view.show} between these moments.`;
		if (this.words)
			text = `“${this.words}”: ${formatPercent(this.matched / (this.root.value || 1))} of it, ` +
				`${this.matches.size} functions\n` + text;
		this.status.textContent = text;
	}

	// ---- Colours

	colour(node) {
		if (this.view.colour === "change") {
			const most = Math.max(node.before, node.after) || 1;
			const share = (node.after - node.before) / most;
			return `hsl(${share < 0 ? 215 : 5} 80% ${93 - 30 * Math.abs(share)}%)`;
		}
		if (this.view.colour === "verdict" && this.model.judged)
			return VERDICTS[mainKind(node)] || "#ddd";
		const f = this.model.frames[node.frame];
		const text = !f ? "" : this.view.colour === "module" ? f.module || f.name : f.name;
		let hash = 0;
		for (let i = 0; i < text.length; i++)
			hash = (hash * 31 + text.charCodeAt(i)) >>> 0;
		return this.view.colour === "module" ? `hsl(${hash % 360} 55% 78%)`
			: `hsl(${20 + hash % 36} ${65 + (hash >> 8) % 20}% 76%)`;
	}

	// ---- Drawing

	visibleLevels() {
		let deepest = this.zoom.level;
		const least = NARROWEST / (this.width / (this.zoom.value || 1));
		const open = [this.zoom];
		for (let node = open.pop(); node; node = open.pop()) {
			deepest = Math.max(deepest, node.level);
			for (const child of node.list)
				if (child.value >= least)
					open.push(child);
		}
		return Math.min(deepest + 1, ROWS_MAX);
	}

	draw() {
		if (!this.root)
			return;
		const ratio = window.devicePixelRatio || 1;
		this.width = Math.max(this.canvas.parentElement.clientWidth, 100);
		const levels = this.visibleLevels(), before = this.height;
		this.height = levels * ROW;
		this.canvas.width = this.width * ratio;
		this.canvas.height = this.height * ratio;
		this.canvas.style.height = `${this.height}px`;
		const paint = this.paint = this.canvas.getContext("2d");
		paint.scale(ratio, ratio);
		paint.font = "12px ui-monospace, monospace";
		paint.textBaseline = "middle";
		this.letter = paint.measureText("M").width;
		this.rows = Array.from({length: levels}, () => []);
		for (let n = this.zoom.parent; n; n = n.parent)
			this.box(n, 0, this.width, true);
		this.drawBelow();
		if (this.view.shape === "flame" && this.height !== before)
			this.canvas.parentElement.scrollTop = this.height;
	}

	drawBelow() {
		const scale = this.width / (this.zoom.value || 1);
		const open = [this.zoom];
		for (let node = open.pop(); node; node = open.pop()) {
			this.box(node, (node.x - this.zoom.x) * scale, node.value * scale, false);
			for (const child of node.list) {
				if (child.value * scale < NARROWEST)
					break; // ordered by size
				if (child.level < this.rows.length)
					open.push(child);
			}
		}
	}

	top(level) {
		return this.view.shape === "flame" ? this.height - (level + 1) * ROW : level * ROW;
	}

	box(node, x, width, faded) {
		const paint = this.paint, y = this.top(node.level);
		if (!this.rows[node.level])
			return;
		this.rows[node.level].push({x, width, node});
		paint.globalAlpha = faded ? 0.5 : this.words && !this.matches.has(node.frame) ? 0.4 : 1;
		paint.fillStyle = this.colour(node);
		paint.fillRect(x, y, Math.max(width - 0.7, 0.4), ROW - 1);
		if (this.matches.has(node.frame)) {
			paint.fillStyle = "#7b2fbf";
			paint.fillRect(x, y + ROW - 4, Math.max(width - 0.7, 0.4), 3);
		}
		paint.globalAlpha = 1;
		if (node === this.focus && document.activeElement === this.canvas) {
			paint.strokeStyle = "#000";
			paint.lineWidth = 2;
			paint.strokeRect(x + 1, y + 1, Math.max(width - 3, 1), ROW - 3);
		}
		const room = Math.floor((width - 6) / this.letter);
		if (room >= 3) {
			const name = this.name(node);
			paint.fillStyle = "#111";
			paint.fillText(name.length <= room ? name : `${name.slice(0, room - 1)}…`,
				x + 3, y + ROW / 2);
		}
	}

	// ---- Mouse and keys

	nodeAt(event) {
		const area = this.canvas.getBoundingClientRect();
		const x = event.clientX - area.left, y = event.clientY - area.top;
		const row = Math.floor(y / ROW);
		const level = this.view.shape === "flame" ? this.rows.length - 1 - row : row;
		const hit = (this.rows[level] || []).find((b) => x >= b.x && x < b.x + Math.max(b.width, 1));
		return hit ? hit.node : null;
	}

	hover(event) {
		const node = this.nodeAt(event), tip = this.tip;
		tip.hidden = !node;
		if (!node)
			return;
		tip.textContent = this.describe(node);
		tip.style.left = `${Math.max(0, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8))}px`;
		tip.style.top = `${Math.max(0, Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8))}px`;
	}

	sibling(step) {
		const list = this.focus.parent ? this.focus.parent.list : [this.focus];
		return list[list.indexOf(this.focus) + step] || this.focus;
	}

	key(event) {
		const inward = this.view.shape === "flame" ? "ArrowUp" : "ArrowDown";
		const outward = this.view.shape === "flame" ? "ArrowDown" : "ArrowUp";
		let to = this.focus;
		if (event.key === inward)
			to = this.focus.list[0] || this.focus;
		else if (event.key === outward)
			to = this.focus.parent || this.focus;
		else if (event.key === "ArrowLeft" || event.key === "ArrowRight")
			to = this.sibling(event.key === "ArrowLeft" ? -1 : 1);
		else if (event.key === "Home")
			to = this.root;
		else if (event.key === "Enter" || event.key === " ")
			this.zoom = this.focus;
		else if (event.key === "Escape" || event.key === "Backspace")
			to = this.zoom = this.zoom.parent || this.root;
		else
			return;
		event.preventDefault();
		this.focus = to;
		this.reveal();
		this.tell();
		this.draw();
	}

	// The focus is always within what is zoomed to, or above it.
	reveal() {
		let node = this.focus;
		while (node && node !== this.zoom)
			node = node.parent;
		if (!node)
			this.zoom = this.focus.parent || this.root;
		const frame = this.canvas.parentElement, y = this.top(this.focus.level);
		if (y < frame.scrollTop || y + ROW > frame.scrollTop + frame.clientHeight)
			frame.scrollTop = y - frame.clientHeight / 2;
	}
}
