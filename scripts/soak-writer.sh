#!/usr/bin/env bash
# The writer of stats rows for MINUTES (5): SESSIONS (1000) sessions send a report of 26 entries per second, each of which is a row in a
# TimescaleDB of its own. What waits, for how long, and the collector's memory are printed every five seconds, and their means of the first and
# the last minute: the last must not have more than three times as much as the first. Afterwards the rows of every session are counted. STOP_DATABASE=1: the server is away for a minute of it.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh

for variable in $(compgen -v RTCTRACE_); do unset "$variable"; done

[ -r /proc/self/status ] || die "soak-writer reads a process's memory from /proc; this system has none."
need_tools
install_toolchain
provide_database
export RTCTRACE_TEST_MINUTES="${MINUTES:-5}" RTCTRACE_TEST_SESSIONS="${SESSIONS:-1000}" RTCTRACE_TEST_STOP_DATABASE="${STOP_DATABASE:-0}"
say "the writer of stats rows for $RTCTRACE_TEST_MINUTES minutes"
CARGO_PROFILE_DEV_OPT_LEVEL=3 cargo test --locked --package rtctrace --test collector_on_postgres -- --ignored --nocapture --exact writer::minutes
