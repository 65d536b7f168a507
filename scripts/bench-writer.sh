#!/usr/bin/env bash
# What rows of stats cost the collector on their way to PostgreSQL, per second of its own processor time.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh

need_tools
install_toolchain
provide_database
CARGO_PROFILE_DEV_OPT_LEVEL=3 cargo test --locked --package rtctrace --lib -- --ignored --nocapture --exact store::stats::bench::rows_per_processor_second
