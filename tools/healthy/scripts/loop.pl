# SPDX-License-Identifier: GPL-2.0-only
use strict;
my (%cache, $i);
while (1) {
	for (1 .. 100) {
		$i++;
		$cache{$i % 5000} = join(",", map { "x$_" } 0 .. $i % 50);
		my @found = $cache{$i % 5000} =~ /x(\d+)/g;
		my %seen = map { $_ => 1 } @found;
	}
	select(undef, undef, undef, 0.01);
}
