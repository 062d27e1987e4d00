/* SPDX-License-Identifier: GPL-2.0-only */
/* abi.h and v8_abi.h for user space: brings the fixed-width types they need. */
#ifndef LEAKBPF_ABI_USER_H
#define LEAKBPF_ABI_USER_H

#include <linux/types.h>

#include "leakbpf/abi.h"
#include "leakbpf/v8_abi.h"

#endif
