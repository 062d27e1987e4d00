#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Builds the Debian package from what is built: `tools/deb.sh BUILD VERSION`
# leaves BUILD/leakbpf_VERSION_ARCHITECTURE.deb. Needs dpkg-dev; no root.
set -eu
cd "$(dirname "$0")/.."

[ $# = 2 ] || {
	echo "usage: tools/deb.sh BUILD VERSION" >&2
	exit 2
}
build=$(realpath "$1")
version=$2
work=$build/deb
root=$work/root
architecture=$(dpkg --print-architecture)
package=$build/leakbpf_${version}_$architecture.deb

[ "$version" = "$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)" ] || {
	echo "deb.sh: packaging/debian/changelog is not about $version" >&2
	exit 1
}
rm -rf "$work"
mkdir -p "$root/DEBIAN" "$work/debian"
umask 022

make --no-print-directory -s install BUILD="$1" DESTDIR="$root" PREFIX=/usr
strip --remove-section=.comment --remove-section=.note "$root/usr/sbin/leakbpf"
gzip -9n "$root"/usr/share/man/man*/*

install -D -m 0644 packaging/leakbpf.conf "$root/etc/leakbpf/leakbpf.conf"
install -D -m 0644 packaging/systemd/leakbpf.service \
	"$root/lib/systemd/system/leakbpf.service"
install -D -m 0644 packaging/debian/lintian-overrides \
	"$root/usr/share/lintian/overrides/leakbpf"
doc=$root/usr/share/doc/leakbpf
install -D -m 0644 packaging/debian/copyright "$doc/copyright"
gzip -9nc packaging/debian/changelog >"$doc/changelog.gz"
for page in README.md docs/*.md docs/*.json; do
	install -m 0644 "$page" "$doc/"
done

for script in postinst prerm postrm; do
	install -m 0755 "packaging/debian/$script" "$root/DEBIAN/"
done
install -m 0644 packaging/debian/conffiles "$root/DEBIAN/"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f ! -path './etc/*' \
	-printf '%P\n' | sort | xargs md5sum) >"$root/DEBIAN/md5sums"
chmod 0644 "$root/DEBIAN/md5sums"

# What is linked in statically is named, with its version, as Built-Using: the
# libraries that tools/setup.sh installs to build it.
libraries=$(sed -n '/^BUILD="/,/"$/p' tools/setup.sh |
	grep -o '[a-z0-9][a-z0-9.+-]*-dev\b' |
	grep -vx -e linux-libc-dev -e dpkg-dev)
built_using() {
	for library in $libraries; do
		# shellcheck disable=SC2016
		dpkg-query -W -f '${source:Package} (= ${source:Version}), ' \
			"$library"
	done
}
cp packaging/debian/control packaging/debian/changelog "$work/debian/"
cd "$work"
dpkg-shlibdeps -Tdebian/substvars "$root/usr/sbin/leakbpf" 2>"$work/shlibdeps" ||
	{
		cat "$work/shlibdeps" >&2
		exit 1
	}
dpkg-gencontrol -pleakbpf -P"$root" -Tdebian/substvars -fdebian/files \
	-V"static:Built-Using=$(built_using)"
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >/dev/null
echo "$package"
