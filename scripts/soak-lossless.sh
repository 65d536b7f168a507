#!/usr/bin/env bash
# Calls on failing networks for MINUTES (10), compared with what their pages saw. SEED repeats a run.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
. scripts/parts.sh
. scripts/browsers.sh

for variable in $(compgen -v RTCTRACE_); do unset "$variable"; done

prepare_chromium web_parts
part "collector" cargo build --locked --package rtctrace
part "soak" node --test --test-reporter=spec tests/soak/lossless.js
parts_summary
