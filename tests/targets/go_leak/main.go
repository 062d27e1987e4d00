// SPDX-License-Identifier: GPL-2.0-only

// A static Go program that never forgets, and one function that does. The
// protocol is that of target.h.
package main

import (
	"bufio"
	"fmt"
	"os"
)

const (
	blockBytes = 16 << 10
	blocks     = 2048
)

var kept [][]byte
var sink []byte

//go:noinline
func remember() {
	block := make([]byte, blockBytes)
	for i := range block {
		block[i] = 1
	}
	kept = append(kept, block)
}

//go:noinline
func forget() {
	block := make([]byte, 1<<10)
	block[0] = 1
	sink = block
}

//go:noinline
func run() {
	for i := 0; i < blocks; i++ {
		remember()
		forget()
	}
}

func main() {
	in := bufio.NewReader(os.Stdin)
	fmt.Println(`{"state": "ready"}`)
	in.ReadString('\n')
	run()
	fmt.Printf(`{"truth": [{"chain": "main.remember;main.run;main.main", `+
		`"bytes": %d, "objects": %d}]}`+"\n", blockBytes*blocks, blocks)
	in.ReadString('\n')
	os.Exit(0)
}
