#!/usr/bin/env bash
# What a load of the SFU Sora's costs: a thousand connections, each with a report of thirty entries once a second, over five connections of HTTP/2.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh

need_tools
install_toolchain
CARGO_PROFILE_DEV_OPT_LEVEL=3 cargo test --locked --package rtctrace --test collector -- --ignored --nocapture --exact sora::load::a_thousand_connections_push_once_a_second
