#!/usr/bin/env bash
# What an import of the SFU Sora's logs costs: 100 MB of statistics of a thousand connections, with webhooks and a bad line here and there. MB/s, CPU
# seconds per MB, and the highest memory.
#
#   MEGABYTES=100 CONNECTIONS=1000
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh

[ -r /proc/self/stat ] || die "bench-import reads memory from /proc; this system has none."
need_tools
install_toolchain
CARGO_PROFILE_DEV_OPT_LEVEL=3 cargo test --locked --package rtctrace --test collector -- --ignored --nocapture --exact sora::logs::a_log_of_a_hundred_megabytes_is_imported
