#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Makes tests/unit/data/v8/*.gz from the builds of Node in build/node (or
# $LEAKBPF_NODE_DIR), each in a folder of its own: FOLDER/[package/]bin/node, or
# FOLDER/usr/bin/node with its libnode beside it. Needs ptrace. Run it when
# decoders read other memory than before, or for a new version of Node.
set -eu
cd "$(dirname "$0")/../.."

tool=${BUILD:-build}/tools/v8_image/v8_image
make -s "$tool"
data=tests/unit/data/v8
nodes=$(realpath "${LEAKBPF_NODE_DIR:-build/node}")
work=/tmp/leakbpf-v8-image # in the names of scripts, and so in the images
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
cp $data/*.js "$work"

image() { # NAME NODE SCRIPT ARGUMENT...
	name=$1
	node=$2
	script=$3
	shift 3
	option=
	# Other threads must not run into the breakpoint.
	case $script in
	allocate.js) option=--allocation ;;
	invalid.js) option=--own ;;
	esac
	timeout 60 "$tool" $option "$data/$name.gz" "$node" \
		--allow-natives-syntax --single-threaded "$work/$script" "$@"
}

for folder in "$nodes"/*/; do
	node=$folder/package/bin/node
	[ -x "$node" ] || node=$folder/bin/node
	prefix=node
	if [ -x "$folder/usr/bin/node" ]; then
		node=$folder/usr/bin/node
		prefix=debian
		LD_LIBRARY_PATH=$folder/usr/lib/x86_64-linux-gnu
		export LD_LIBRARY_PATH
	fi
	version=$("$node" -p 'process.versions.node.split(".")[0]')
	image "$prefix$version" "$node" stop.js
	image "$prefix$version-turbofan" "$node" allocate.js \
		OptimizeFunctionOnNextCall
	image "$prefix$version-osr" "$node" allocate.js OSR
	image "$prefix$version-invalid" "$node" invalid.js \
		OptimizeFunctionOnNextCall
	case $version in
	18 | 20 | 22) ;; # built without Maglev
	*)
		image "$prefix$version-maglev" "$node" allocate.js \
			OptimizeMaglevOnNextCall
		image "$prefix$version-maglev-invalid" "$node" invalid.js \
			OptimizeMaglevOnNextCall
		;;
	esac
	unset LD_LIBRARY_PATH
done
