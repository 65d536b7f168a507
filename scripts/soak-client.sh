#!/usr/bin/env bash
# The memory of a page that is polled for long, measured in Chromium; tests/soak/client.js has the settings.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh
. scripts/parts.sh
. scripts/browsers.sh

prepare_chromium client_parts
exec node tests/soak/client.js
