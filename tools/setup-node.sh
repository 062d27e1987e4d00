#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What the tests of Node.js need, for tools/setup.sh test: the binaries and the
# packages of tests/targets/node (npm, versions and hashes in its lock file),
# and Debian's own node. Where another node is installed under that name,
# Debian's is unpacked into .cache/debian-node, and tests lay it over /usr in a
# mount namespace. Quick and silent when everything is there.
set -eu
cd "$(dirname "$0")/.."
place=tests/targets/node
tree=.cache/debian-node

fail() {
	echo "setup-node.sh: $*" >&2
	exit 1
}

log=$(mktemp)
scratch=
cleanup() {
	rm -f "$log"
	[ -z "$scratch" ] || rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
quietly() {
	"$@" >"$log" 2>&1 </dev/null || {
		tail -n 10 "$log" >&2
		fail "failed: $*"
	}
}

mark=$place/node_modules/.installed
locked=$(sha256sum <$place/package-lock.json)
if [ "$(cat $mark 2>/dev/null)" != "$locked" ]; then
	echo "setup-node.sh: npm packages of $place" >&2
	# Node trusts what it was built with; here also what the machine trusts.
	export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}"
	(cd $place && quietly timeout 300 npm ci --ignore-scripts \
		--no-audit --no-fund --fetch-retries=3 --fetch-timeout=60000)
	rm -rf $place/node_modules/node[0-9]*/include \
		$place/node_modules/node[0-9]*/share
	echo "$locked" >$mark
fi

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}
! installed libnode108 || exit 0
[ ! -e $tree/.installed ] || exit 0

echo "setup-node.sh: Debian's own node, into $tree" >&2
version=$(apt-cache policy libnode108 | sed -n 's/^ *Candidate: //p')
[ -n "$version" ] || fail "apt knows no libnode108"
packages="nodejs=$version libnode108=$version"
# What libnode loads when it starts, as far as this machine has it not.
for package in libuv1 libc-ares2 libnghttp2-14 libicu72 libbrotli1 libssl3 \
	node-acorn node-cjs-module-lexer node-undici node-busboy node-xtend; do
	installed $package || packages="$packages $package"
done
scratch=$(mktemp -d)
rm -rf $tree
mkdir -p $tree
# shellcheck disable=SC2086
(cd "$scratch" && quietly timeout 120 apt-get -q -o Acquire::Retries=3 \
	download $packages)
for package in "$scratch"/*.deb; do
	quietly dpkg -x "$package" $tree
done
touch $tree/.installed
