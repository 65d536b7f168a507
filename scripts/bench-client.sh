#!/usr/bin/env bash
# What a poll costs the page, measured in Chromium; tests/bench/client.js has the settings. On a busy machine the figures say little.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
. scripts/parts.sh
. scripts/browsers.sh

prepare_chromium client_parts
if [ -n "${PROFILE:-}" ] && [ -z "${WASM:-}" ]; then
	# The profile names functions, so it wants a module that has kept their names.
	part "module with names" cargo xtask size client
	export WASM="$root/target/xtask/client-with-names/rtctrace_bg.wasm"
fi
exec node tests/bench/client.js
