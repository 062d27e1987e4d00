// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"math"
	"runtime"
)

// What a record stands for: each block was sampled with 1 - exp(-size/rate).
func scaled(r *runtime.MemProfileRecord) float64 {
	objects := r.InUseObjects()
	if objects == 0 {
		return 0
	}
	bytes := float64(r.InUseBytes())
	size := bytes / float64(objects)
	return bytes / (1 - math.Exp(-size/float64(runtime.MemProfileRate)))
}
