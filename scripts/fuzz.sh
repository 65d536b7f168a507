#!/usr/bin/env bash
# A long run of the property tests of `protocol`: a million cases of each unless PROPTEST_CASES says otherwise.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh

need_tools
install_toolchain
export PROPTEST_CASES="${PROPTEST_CASES:-1000000}"
say "Property tests of rtctrace-protocol, $PROPTEST_CASES cases each"
# debug-assertions: an overflow or a broken invariant must show, though the code is optimised.
CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true \
	cargo test --release --locked --package rtctrace-protocol "$@"
