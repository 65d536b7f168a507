#!/usr/bin/env bash
# The collector goes down FALLS (100) times at random moments under SESSIONS (200) sessions: by SIGKILL, by SIGTERM, by SIGKILL
# with torn files under `spool.durability = power`, by SIGKILL where sessions are stored before their clients are back. Every dump is compared with what its client sent.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh

for variable in $(compgen -v RTCTRACE_); do unset "$variable"; done

need_tools
install_toolchain
export RTCTRACE_TEST_FALLS="${FALLS:-100}" RTCTRACE_TEST_SESSIONS="${SESSIONS:-200}"
say "$RTCTRACE_TEST_FALLS falls under $RTCTRACE_TEST_SESSIONS sessions"
cargo test --locked --package rtctrace --test collector soak:: -- --nocapture --test-threads 1
