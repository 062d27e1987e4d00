/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * JavaScript frames of V8, recognised during a walk.
 *
 * Interpreted and compiled functions keep the frame pointer, and below it the
 * function they belong to. A frame without CFI whose slot holds a JSFunction
 * (its map says so) is a JavaScript frame, wherever its code lies. Its address
 * says nothing for good, as code and objects move: the frame becomes a hash of
 * what stays (leakbpf/v8_abi.h), and where things are just now goes to user
 * space, which reads names and lines there before they move.
 *
 * All that is read here is the target's: it is compared and hashed, no more.
 */
#ifndef BPF_JS_FRAMES_H
#define BPF_JS_FRAMES_H

#include "unwind.h"

/* Sizes: src/trace/js_frames.c. Nearly always empty, so not preallocated. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u32); /* owner tgid */
	__type(value, struct v8_process);
} v8_processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u64); /* frame */
	__type(value, struct js_frame_state);
} js_frames SEC(".maps");

/* Threads that ran JavaScript, numbered: ids of threads, and of scripts in
 * different isolates, repeat. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u32); /* tid */
	__type(value, __u32);
} js_threads SEC(".maps");

__u32 js_threads_seen = 0;

/* An unresolved frame is sent again after a collection, or after this time:
 * user space may have been too late, or the event was lost. */
#define JS_RESEND_NS 1000000000ULL

/* ---- Objects --------------------------------------------------------------
 */

static __always_inline bool js_is_object(__u64 tagged)
{
	return (tagged & V8_TAG_MASK) == V8_TAG;
}

/* Instance type of the object that has this map; 0: not readable, which is the
 * type of a string and nothing that is asked for. */
static __always_inline __u32 js_map_type(const struct v8_layout *l, __u64 map)
{
	__u64 place = map - V8_TAG + l->map_instance_type;
	__u16 type = 0;

	if (!js_is_object(map) ||
	    bpf_probe_read_user(&type, sizeof(type), (void *)place))
		return 0;
	return type;
}

static __always_inline __u32 js_type(const struct v8_layout *l, __u64 tagged)
{
	__u64 map;

	if (!js_is_object(tagged) ||
	    bpf_probe_read_user(&map, sizeof(map), (void *)(tagged - V8_TAG)))
		return 0;
	return js_map_type(l, map);
}

/* An object that ends with its page may be shorter than what is read of most,
 * and what lies behind need not be mapped. */
#define JS_PAGE_BYTES 4096

static __always_inline bool js_read_last(struct walk *w, __u64 place)
{
	__u64 left = JS_PAGE_BYTES - (place & (JS_PAGE_BYTES - 1));

	if (left >= JS_OBJECT_BYTES)
		return false;
	__builtin_memset(w->object, 0, sizeof(w->object));
	barrier_var(left);
	return !bpf_probe_read_user(w->object, left & (sizeof(w->object) - 1),
				    (void *)place);
}

/* Copies the start of an object to w->object. */
static __always_inline bool js_read(struct walk *w, __u64 tagged)
{
	__u64 place = tagged - V8_TAG;

	return js_is_object(tagged) &&
	       (!bpf_probe_read_user(w->object, JS_OBJECT_BYTES,
				     (void *)place) ||
		js_read_last(w, place));
}

static __always_inline __u64 js_word(const struct walk *w, __u32 offset)
{
	__u32 index = offset >> 3;

	barrier_var(index); /* or the mask is dropped as redundant */
	return w->object[index & (JS_OBJECT_WORDS - 1)];
}

static __always_inline __u32 js_half(const struct walk *w, __u32 offset)
{
	return js_word(w, offset) >> (offset & 4) * 8;
}

/* ---- What a frame is ------------------------------------------------------
 */

/* Fills `function`, `bytecode_array` and, for the time being, in `code` what
 * the slot of the bytecode offset holds. False: no function of JavaScript. */
static __always_inline bool js_slots(struct walk *w, const struct v8_layout *l,
				     struct js_frame *f)
{
	__u64 fp = w->fp, context;

	/* Upwards, so that all lie in one window. Frames of other types have a
	 * number in place of the context. */
	return fp >= w->sp && !(fp & 7) &&
	       stack_word(w, fp + l->frame_bytecode_offset, &f->code) &&
	       stack_word(w, fp + l->frame_bytecode_array,
			  &f->bytecode_array) &&
	       stack_word(w, fp + l->frame_function, &f->function) &&
	       stack_word(w, fp + l->frame_context, &context) &&
	       js_is_object(f->function) && js_is_object(context);
}

/* Fills `shared`, and `code` with what the function has now. */
static __always_inline bool
js_function(struct walk *w, const struct v8_layout *l, struct js_frame *f)
{
	__u32 type, handle;
	__u64 entry, code = 0;

	if (!js_read(w, f->function))
		return false;
	type = js_map_type(l, js_word(w, 0));
	if (type < l->type_js_function_first || type > l->type_js_function_last)
		return false;
	f->shared = js_word(w, l->function_shared);
	if (l->function_code) {
		code = js_word(w, l->function_code);
	} else if (l->dispatch_table) {
		handle = js_half(w, l->function_dispatch_handle);
		entry = l->dispatch_table +
			V8_DISPATCH_ENTRY_BYTES *
				(__u64)(handle >> V8_DISPATCH_SHIFT);
		if (!bpf_probe_read_user(&code, sizeof(code),
					 (void *)(entry + 8)))
			code = code >> 16 | V8_TAG;
	}
	f->code = code;
	return true;
}

/* Fills the script's id, and which of its functions it is. */
static __always_inline void js_script(struct walk *w, const struct v8_layout *l,
				      struct js_frame *f)
{
	__u64 script;

	if (!js_read(w, f->shared))
		return;
	script = js_word(w, l->shared_script);
	f->function_literal_id = js_half(w, l->shared_function_literal_id);
	if (js_read(w, script) &&
	    js_map_type(l, js_word(w, 0)) == l->type_script)
		f->script_id = js_word(w, l->script_id) >> V8_SMI_SHIFT;
}

/*
 * The interpreter runs in a builtin, which belongs to an object, also where V8
 * maps its builtins a second time. Elsewhere such slots are those of a frame
 * that optimised code has taken over in the middle of a loop.
 */
static __always_inline bool js_interpreted(struct walk *w,
					   const struct v8_layout *l,
					   struct js_frame *f, __u64 offset)
{
	if (!(w->frame >> FRAME_OBJECT_SHIFT) || (__u32)offset ||
	    js_type(l, f->bytecode_array) != l->type_bytecode_array)
		return false;
	f->kind = JS_CODE_INTERPRETED;
	/* The slot counts from the tagged address of the array. */
	f->position = (offset >> V8_SMI_SHIFT) - (l->bytecode_data - V8_TAG);
	return true;
}

/* Whether the function's code is what runs here. *size tells code apart that a
 * function has had one after the other. */
static __always_inline bool js_compiled(struct walk *w,
					const struct v8_layout *l,
					struct js_frame *f, __u32 *size)
{
	__u64 start, kind;

	if (!js_read(w, f->code))
		return false;
	start = l->code_instructions_inline
			? f->code - V8_TAG + l->code_instruction_start
			: js_word(w, l->code_instruction_start);
	*size = js_half(w, l->code_instruction_size);
	kind = js_half(w, l->code_flags) & l->code_kind_mask;
	if (f->pc - start >= *size || kind < l->code_kind_baseline)
		return false;
	f->kind = kind == l->code_kind_baseline ? JS_CODE_BASELINE
						: JS_CODE_OPTIMISED;
	f->position = f->pc - start;
	return true;
}

static __always_inline __u64 js_mix(__u64 hash, __u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

static __always_inline __u64 js_identity(const struct js_frame *f, __u32 size)
{
	__u64 hash = stack_hash_seed ^ f->tgid;

	hash = js_mix(hash, (__u64)f->thread << 32 | (__u32)f->script_id);
	hash = js_mix(hash, (__u64)f->function_literal_id << 32 | f->position);
	hash = js_mix(hash, (__u64)size << 32 | f->kind << 1 | f->leaf);
	return (__u64)FRAME_OBJECT_JS << FRAME_OBJECT_SHIFT |
	       hash >> (64 - FRAME_OBJECT_SHIFT);
}

static __always_inline __u32 js_thread(__u32 tid)
{
	__u32 *known = bpf_map_lookup_elem(&js_threads, &tid);
	__u32 number;

	if (known)
		return *known;
	number = __sync_fetch_and_add(&js_threads_seen, 1) + 1;
	/* No room: its id must do. */
	if (bpf_map_update_elem(&js_threads, &tid, &number, BPF_ANY))
		return tid | 1u << 31;
	return number;
}

/* ---- Telling user space ---------------------------------------------------
 */

/* False: no room for it. */
static __always_inline bool js_record(struct walk *w)
{
	struct js_frame_event *e = &w->js;
	__u64 frame = e->frame.frame;
	struct js_frame_state *known = bpf_map_lookup_elem(&js_frames, &frame);
	struct js_frame_state now = {
		.seen_ns = known && known->resolved ? 0 : bpf_ktime_get_ns(),
		.gc_epoch = e->frame.gc_epoch,
	};

	if (known) {
		if (known->resolved ||
		    (known->gc_epoch == now.gc_epoch &&
		     now.seen_ns - known->seen_ns < JS_RESEND_NS))
			return true;
		now.tries = known->tries + (known->tries != 255);
	}
	if (bpf_map_update_elem(&js_frames, &frame, &now, BPF_ANY)) {
		count(COUNTER_LOST_JS_FRAMES, 1);
		return false;
	}
	e->frame.tries = now.tries;
	stack_word(w, w->fp + V8_FRAME_RECEIVER, &e->frame.receiver);
	/* It is told of again; what becomes of processes is told once. */
	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > EVENTS_BYTES / 2 ||
	    bpf_ringbuf_output(&events, e, sizeof(*e), 0))
		count(COUNTER_LOST_JS_FRAMES, 1);
	return true;
}

/* Whether w->pc, with the frame at w->fp, is a function of JavaScript. Then
 * w->frame says which one, and where in it. */
__noinline int js_frame(struct walk *w)
{
	__u32 tgid, size = 0;
	const struct v8_layout *l;
	struct v8_process *p;
	struct js_frame *f;
	__u64 offset;

	if (!w)
		return 0;
	__builtin_memset(&w->js, 0, sizeof(w->js));
	f = &w->js.frame;
	tgid = w->tgid;
	p = bpf_map_lookup_elem(&v8_processes, &tgid);
	if (!p)
		return 0;
	l = &p->layout;
	if (!js_slots(w, l, f))
		return 0;
	offset = f->code;
	if (!js_function(w, l, f))
		return 0;
	f->pc = w->exact ? w->pc : w->pc - 1;
	f->tgid = tgid;
	f->tid = (__u32)bpf_get_current_pid_tgid();
	f->gc_epoch = *(volatile __u32 *)&p->gc_epoch;
	if (!js_interpreted(w, l, f, offset) && !js_compiled(w, l, f, &size))
		f->code = 0;
	/* Optimised code has other things in its slot. */
	if (f->kind != JS_CODE_INTERPRETED && f->kind != JS_CODE_BASELINE)
		f->bytecode_array = 0;
	js_script(w, l, f);
	if (!f->kind) {
		/* Tells builtins apart; and user space may find out by its
		 * address which code it is. */
		f->position = w->frame;
		if (!f->script_id)
			f->kind = JS_CODE_BUILTIN;
	}
	/* Only in optimised code does it matter for the line; code that is not
	 * known is most often optimised, while it ran (OSR). */
	f->leaf = (f->kind == JS_CODE_OPTIMISED || !f->kind) && !w->js_frames;
	f->callee = f->leaf ? w->native : 0;
	f->thread = js_thread(f->tid);
	f->frame = js_identity(f, size);
	w->js_frames++;
	w->js.header.type = EVENT_JS_FRAME;
	w->js.header.tgid = tgid;
	if (js_record(w))
		w->frame = f->frame;
	return 1;
}

/* The thread is at its end, or has a new program. */
static __always_inline void js_thread_forget(__u32 tid)
{
	if (v8_present)
		bpf_map_delete_elem(&js_threads, &tid);
}

#endif
