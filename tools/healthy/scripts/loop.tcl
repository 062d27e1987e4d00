# SPDX-License-Identifier: GPL-2.0-only
set i 0
while 1 {
	for {set k 0} {$k < 100} {incr k} {
		incr i
		set words {}
		for {set n 0} {$n < $i % 50} {incr n} { lappend words x$n }
		set cache([expr {$i % 5000}]) [join $words ,]
		regexp -all -inline {x(\d+)} $cache([expr {$i % 5000}])
	}
	after 10
}
