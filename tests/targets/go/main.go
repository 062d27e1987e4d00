// SPDX-License-Identifier: GPL-2.0-only

// A Go program to be traced; the protocol is that of ../target.h.
//
//	hold RATE   holds memory of known size, after making ten times as much
//	            garbage from many goroutines whose stacks grow meanwhile
//	serve LEAK  handles requests until told to end; LEAK of them, of 100,
//	            leave their session behind
//
// RATE: runtime.MemProfileRate; 0 leaves it alone.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	sessionBytes = 1024 // of a size class of Go's
	sessions     = 64 << 10
	bufferBytes  = 128 << 10 // whole pages
	buffers      = 512
	cacheSlots   = 4096
)

type session struct{ data [sessionBytes]byte }

type truth struct {
	Chain   string `json:"chain"`
	Bytes   int64  `json:"bytes"`
	Objects int64  `json:"objects"`
}

var (
	input    = bufio.NewReader(os.Stdin)
	byUser   = map[int]*session{}
	uploads  [][]byte
	cache    [cacheSlots]*session
	sink     atomic.Value
	response atomic.Value
)

func say(v any) {
	line, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func waitLine() {
	if _, err := input.ReadString('\n'); err != nil {
		os.Exit(1)
	}
}

//go:noinline
func rememberSession(user int) { byUser[user] = &session{} }

//go:noinline
func keepUpload() { uploads = append(uploads, make([]byte, bufferBytes)) }

// Makes the stack of its goroutine grow, and garbage at every depth.
//
//go:noinline
func deep(n int) int {
	var frame [200]byte

	sink.Store(&session{})
	frame[n%200] = byte(n)
	if n == 0 {
		return int(frame[0])
	}
	return deep(n-1) + int(frame[n%200]) - n%256
}

func churn(goroutines int) {
	var wg sync.WaitGroup

	for i := 0; i < goroutines; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if deep(500) != 0 {
				panic("a stack was damaged")
			}
		}()
	}
	wg.Wait()
}

// Bytes that Go's own heap profile has for a function, scaled as
// runtime/pprof does.
func profiled(function string) int64 {
	var records []runtime.MemProfileRecord
	n, ok := runtime.MemProfile(nil, false)

	for !ok {
		records = make([]runtime.MemProfileRecord, n+50)
		n, ok = runtime.MemProfile(records, false)
	}
	sum := 0.0
	for i := range records[:n] {
		if in(&records[i], function) {
			sum += scaled(&records[i])
		}
	}
	return int64(sum)
}

func in(r *runtime.MemProfileRecord, function string) bool {
	frames := runtime.CallersFrames(r.Stack())
	for {
		frame, more := frames.Next()
		if frame.Function == function {
			return true
		}
		if !more {
			return false
		}
	}
}

func hold() {
	for i := 0; i < sessions; i++ {
		rememberSession(i)
		if i%(sessions/64) == 0 {
			churn(20)
		}
	}
	for i := 0; i < buffers; i++ {
		keepUpload()
	}
	// Twice: what dies in the first is swept before the second.
	runtime.GC()
	runtime.GC()
	say(map[string]any{
		"truth": []truth{
			{"main.rememberSession", sessions * sessionBytes, sessions},
			{"main.keepUpload", buffers * bufferBytes, buffers},
		},
		"profile": map[string]int64{
			"main.rememberSession": profiled("main.rememberSession"),
			"main.keepUpload":      profiled("main.keepUpload"),
			"main.deep":            profiled("main.deep"),
		},
	})
	waitLine()
}

//go:noinline
func handleRequest(n int, leak int) {
	s := &session{}
	copy(s.data[:], strings.Repeat("x", 100))
	cache[n%cacheSlots] = s
	response.Store(make([]byte, 2000))
	if n%100 < leak {
		rememberSession(n)
	}
}

func serve(leak int) {
	go func() {
		for {
			churn(4)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	done := make(chan bool)
	go func() {
		waitLine()
		close(done)
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	for n := 0; ; {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		for end := n + 100; n < end; n++ {
			handleRequest(n, leak)
		}
	}
}

func main() {
	number, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	if os.Args[1] == "hold" && number > 0 {
		runtime.MemProfileRate = number
	}
	say(map[string]string{"state": "ready"})
	waitLine()
	if os.Args[1] == "hold" {
		hold()
	} else {
		serve(number)
	}
}
