#!/usr/bin/env bash
# What a report costs: the codec natively (criterion compares with the run before), and the client's module in Node.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh

need_tools
install_toolchain
say "The codec, natively"
cargo bench --locked --package rtctrace-protocol --bench codec -- --quiet "$@"
say "The client's module in Node, ms per report"
[ -d node_modules ] || npm ci
cargo xtask wasm client
node scripts/bench-module.js
