#!/usr/bin/env bash
# Builds the release artefacts: target/release/rtctrace, npm/dist and dump-viewer/dist.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
. scripts/parts.sh

prepare
web_parts
# Last, because the collector carries the viewer, the demo page and the client inside.
part "collector" cargo build --release --locked --package rtctrace
parts_summary
