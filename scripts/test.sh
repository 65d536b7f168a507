#!/usr/bin/env bash
# Every check and every test, from a fresh clone on. The Rust tests and the end-to-end tests share one build of the collector.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
. scripts/parts.sh
. scripts/browsers.sh
. scripts/checks.sh

# Settings of this shell are for the collector that a person runs, not for those under test.
for variable in $(compgen -v RTCTRACE_); do
	case "$variable" in RTCTRACE_TEST_*) ;; *) unset "$variable" ;; esac
done

rust_tests() { cargo test --workspace --locked --no-fail-fast; }

prepare
part "Chromium" install_chromium
part "Firefox" install_firefox
part "TimescaleDB" provide_database
part "format" check_format
web_parts
part "types" check_types
part "clippy" check_clippy
part "Rust tests" rust_tests
part "client tests" npm test --silent --workspace npm
part "viewer tests" npm test --silent --workspace dump-viewer
part "end-to-end tests" npm test --silent --workspace tests
part "end-to-end tests in Firefox" env BROWSER=firefox npm test --silent --workspace tests
parts_summary
