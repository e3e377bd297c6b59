#!/bin/sh
# Makes gen/go from the protos that the client uses, with protoc and its plugin for Go (Debian: protobuf-compiler and
# protoc-gen-go). What it makes is committed, so that who uses the client needs neither.
# Usage: clients/go/generate.sh [FOLDER]; FOLDER instead of clients/go/gen.
set -eu
cd "$(dirname "$0")/../.."
to=${1:-clients/go/gen}
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
set --
for name in errors types kv hash list set sketch sorted_set lease watch; do set -- "$@" "proto/kelp/v1/$name.proto"; done
protoc -I proto --go_out="$made" "$@"
rm -rf "$to"
mkdir -p "$(dirname "$to")"
cp -R "$made/kelp/gen" "$to"
