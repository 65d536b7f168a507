#!/usr/bin/env bash
# Everything that reads the code without running it.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
. scripts/parts.sh
. scripts/checks.sh

prepare
part "format" check_format
web_parts
part "types" check_types
part "clippy" check_clippy
parts_summary
