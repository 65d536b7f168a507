#!/usr/bin/env bash
# How long a page of a list of a million sessions takes, by filter, over TimescaleDB.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh

need_tools
install_toolchain
provide_database
CARGO_PROFILE_DEV_OPT_LEVEL=3 cargo test --locked --package rtctrace --test collector_on_postgres -- --ignored --nocapture --exact bench::pages_of_a_list_of_a_million_sessions
