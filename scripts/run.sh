#!/usr/bin/env bash
# Starts the collector that scripts/build.sh built, and says what to open once it answers.
. "$(dirname "$0")/lib.sh"

export RTCTRACE_LISTEN="${RTCTRACE_LISTEN:-127.0.0.1:8080}"
export RTCTRACE_DATA_DIR="${RTCTRACE_DATA_DIR:-./data}"

# A wildcard address is for listening; a browser is sent to loopback.
address="$(printf '%s' "$RTCTRACE_LISTEN" | sed -e 's/^0\.0\.0\.0:/127.0.0.1:/' -e 's/^\[::\]:/[::1]:/')"

answers() { node -e "fetch('http://$address/healthz').then(r => process.exit($1), () => process.exit(1))"; }

# Otherwise another program's answer would be taken for the collector's.
if answers 0; then
	die "something listens on $RTCTRACE_LISTEN already." "Choose another address: RTCTRACE_LISTEN=127.0.0.1:8081 make run"
fi

target/release/rtctrace serve &
collector=$!
trap 'kill -TERM "$collector" 2>/dev/null || true' TERM INT

until answers 'r.ok ? 0 : 1'; do
	if ! kill -0 "$collector" 2>/dev/null; then
		wait "$collector" || true
		die "the collector did not start; its message is above."
	fi
	sleep 0.2
done

cat <<TEXT

rtctrace is running. Open:
  http://$address/demo   a page that calls itself and records the call
  http://$address/       the recorded sessions
Its data lies under $RTCTRACE_DATA_DIR. End it with Ctrl-C.

TEXT

# A trapped signal ends the first wait before the collector has ended.
wait "$collector" || status=$?
while kill -0 "$collector" 2>/dev/null; do wait "$collector" || status=$?; done
case "${status:-0}" in 130 | 143) exit 0 ;; *) exit "${status:-0}" ;; esac
