#!/usr/bin/env bash
# What a dump costs the viewer, in Chromium: how soon there is a graph, CPU until all is read, memory, and how long frames take
# while one hovers, zooms and scrolls. tests/bench/viewer.js has the settings. On a busy machine the figures say little.
#
#   MEGABYTES="5 50"   the dumps: a call that goes on for hours, as upstream's client writes it
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
. scripts/parts.sh
. scripts/browsers.sh

viewer_parts() {
	part "viewer: WebAssembly" viewer_wasm
	part "viewer: web app" viewer
}

prepare_chromium viewer_parts
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
dumps=()
for megabytes in ${MEGABYTES:-5 50}; do
	cargo run --quiet --locked --package rtctrace-features --example long_call "$megabytes" >"$work/$megabytes MB"
	dumps+=("$work/$megabytes MB")
done
node tests/bench/viewer.js "${dumps[@]}"
