/* SPDX-License-Identifier: GPL-2.0-only */
/* abi.h for user space: brings the fixed-width types it needs. */
#ifndef LEAKBPF_ABI_USER_H
#define LEAKBPF_ABI_USER_H

#include <linux/types.h>

#include "leakbpf/abi.h"

#endif
