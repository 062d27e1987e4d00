#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Proves the README's two commands on a machine with nothing on it: a minimal
# Debian 12 file tree (debootstrap, minbase) with a clone of this repository,
# and this machine's kernel: /proc, /sys and /dev are bound in, process ids are
# the host's.
#
#   tools/fresh-machine.sh [COMMAND...]     default: both commands in turn
#
# What is committed is tested, not what lies about. Downloads are kept in
# .cache/fresh, so that the next run is quicker; the tree itself is new each
# time, and removed at the end.
set -eu
cd "$(dirname "$0")/.."
repository=$(pwd)
cache=$repository/.cache/fresh
base=$cache/base-bookworm
root=$cache/root.$$

fail() {
	echo "fresh-machine.sh: $*" >&2
	exit 1
}
[ "$(id -u)" = 0 ] || fail "run as root"
for tool in debootstrap unshare git; do
	command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install it"
done

# "URI SUITE" of Debian's own archives, as this machine's apt is set up.
sources=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(ORIGIN)' \
	'Created-By: Packages' 'Component: main' |
	awk '$2 ~ /^bookworm/ && $3 == "Debian" { print $1, $2 }' | sort -u)
mirror=$(echo "$sources" | awk '$2 == "bookworm" { print $1; exit }')
[ -n "$mirror" ] || fail "apt on this machine knows no mirror of bookworm"

mkdir -p "$cache/archives"
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ ! -e "$base/etc/debian_version" ]; then
	echo "fresh-machine.sh: debootstrap from $mirror" >&2
	rm -rf --one-file-system "$base" "$base.new"
	debootstrap --variant=minbase bookworm "$base.new" "$mirror" \
		>"$cache/debootstrap.log" 2>&1 ||
		fail "debootstrap failed, see $cache/debootstrap.log"
	mv "$base.new" "$base"
fi
cp -a --reflink=auto "$base" "$root"

echo "$sources" | while read -r uri suite; do
	echo "deb $uri $suite main"
done >"$root/etc/apt/sources.list"
# The archive keyring of minbase signs all of these; the way to the network is
# this machine's, and so are the authorities that it trusts.
for file in /etc/resolv.conf /etc/hosts; do
	[ ! -e "$file" ] || cp -L "$file" "$root$file"
done
mkdir -p "$root/usr/local/share/ca-certificates"
find /usr/local/share/ca-certificates -name '*.crt' \
	-exec cp -L -t "$root/usr/local/share/ca-certificates" {} + 2>/dev/null || :
apt-config dump | grep -i '^Acquire::\(http\|https\|Retries\).*"..*";$' \
	>"$root/etc/apt/apt.conf.d/99host" || :
echo 'APT::Keep-Downloaded-Packages "true";' \
	>"$root/etc/apt/apt.conf.d/98keep"
rm -f "$root/etc/apt/apt.conf.d/docker-clean"

git -c safe.directory='*' clone -q "$repository" "$root/leakbpf"

# Mounts live in a mount namespace of their own and vanish with it. The tree is
# bound onto itself, because unshare in the tests wants its root to be a mount.
export FRESH_ROOT="$root" FRESH_ARCHIVES="$cache/archives"
run() {
	echo "fresh-machine.sh: $*" >&2
	unshare --mount --propagation private sh -euc '
		mount --bind "$FRESH_ROOT" "$FRESH_ROOT"
		for d in proc sys dev; do
			mount --rbind "/$d" "$FRESH_ROOT/$d"
		done
		mount --bind "$FRESH_ARCHIVES" "$FRESH_ROOT/var/cache/apt/archives"
		exec chroot "$FRESH_ROOT" env -i HOME=/root TERM=dumb \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
			sh -c "cd /leakbpf && exec \"\$@\"" sh "$@"
	' sh "$@"
}

if [ $# -gt 0 ]; then
	run "$@"
else
	run tools/demo.sh
	run tools/check.sh
fi
