# SPDX-License-Identifier: GPL-2.0-only
# Compares folded stacks with the truth that a target printed
# (tests/targets/target.h): every chain must hold exactly its bytes, or with
# -v tolerance=0.5 half as much more or less.
#
#   awk -f truth.awk target-output folded-stacks
#
# Prints what differs; exits with 0 when nothing does and there was a truth.

function text_of(line, name) {
	if (!match(line, "\"" name "\": \"[^\"]*"))
		return ""
	return substr(line, RSTART + length(name) + 5, RLENGTH - length(name) - 5)
}

function number_of(line, name) {
	if (!match(line, "\"" name "\": [-0-9]+"))
		return ""
	return substr(line, RSTART + length(name) + 4, RLENGTH - length(name) - 4) + 0
}

# The chain is leaf first, folded stacks are root first.
function reversed(chain, parts, n, i, result) {
	n = split(chain, parts, ";")
	result = parts[n]
	for (i = n - 1; i > 0; i--)
		result = result ";" parts[i]
	return result
}

FNR == NR {
	if ($0 !~ /^\{"truth"/)
		next
	n = split($0, items, /\}, /)
	for (i = 1; i <= n; i++) {
		chain = text_of(items[i], "chain")
		if (chain == "")
			continue
		expected[reversed(chain)] = number_of(items[i], "bytes")
		chains++
	}
	next
}

# "root;...;leaf BYTES"; names may contain spaces.
{
	stack = ";" $0
	value = $NF
	sub(/ [0-9]+$/, ";", stack)
	for (chain in expected)
		if (index(stack, ";" chain ";"))
			seen[chain] += value
}

END {
	for (chain in expected) {
		difference = seen[chain] - expected[chain]
		if (difference < 0)
			difference = -difference
		if (difference <= tolerance * expected[chain])
			continue
		printf "%s: expected %d bytes, seen %d\n", chain, \
			expected[chain], seen[chain]
		wrong++
	}
	if (!chains)
		print "no truth was printed"
	exit(!chains || wrong > 0)
}
