#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# First process of a guest of tools/kernels.sh: mounts what leakbpf needs,
# nothing more (no tracefs, no debugfs, no bpffs), runs the tests and sends
# their exit code through the second serial port. Whatever goes wrong before
# that leaves the port empty, which the host takes for a failure.
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev /tmp /root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
ip link set lo up
sh /vm/guest.sh
echo $? >/dev/ttyS1
sync
poweroff -f
