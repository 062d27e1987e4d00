/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the programs of features.bpf.c share with user space. The includer
 * provides __u32 and __u64. */
#ifndef BPF_FEATURE_COUNTS_H
#define BPF_FEATURE_COUNTS_H

struct feature_counts {
	__u64 entry_hits;
	__u64 return_hits;
	__u64 last_cookie;
	__u32 skip_return; /* what count_session returns at entry */
	__u32 reserved;
};

#endif
