#!/usr/bin/env bash
# What the collector costs: CPU seconds per million lines from accept to stored dump, by its own process times, with the
# collector on one core and the load on another. Linux only.
#
#   RUNS="200:max:5000 1000:1:120"   sessions:rate:lines of each run, and behind one more colon how long their starts and ends
#                                    take: 2s, or a second for every fifty where there are more than a thousand
#   GROWTH="100 1000 10000"          then the cost per line with so many sessions at 1 line/s; empty: not asked
#   GROWTH_LINES=60                  lines of each of these sessions
#   WATCH=50                         sessions that are asked how soon after their end they are stored
#   SERVER_CORE=0 LOAD_CORE=1
. "$(dirname "$0")/lib.sh"

[ -r /proc/self/stat ] || die "bench-server reads process times from /proc; this system has none."
command -v curl >/dev/null || die "bench-server asks the collector's metrics by curl."
command -v taskset >/dev/null || die "bench-server pins processes to cores with taskset (util-linux)."
[ -n "${RTCTRACE:-}" ] || part "collector" cargo build --release --locked --package rtctrace
rtctrace="${RTCTRACE:-$CARGO_TARGET_DIR/release/rtctrace}"
ticks="$(getconf CLK_TCK)"
work="$(mktemp -d)"
server= runs=0
stop() { [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server"; } || true; server=; }
trap 'stop; rm -rf "$work"' EXIT

# User and system time of the collector, in ticks; field 2 of the file may hold anything but a closing parenthesis.
cpu() { sed 's/.*) //' "/proc/$server/stat" | awk '{ print $12 + $13 }'; }
memory() { awk '/^VmRSS:/ { print $2 }' "/proc/$server/status"; }
highest() { awk '/^VmHWM:/ { print $2 }' "/proc/$server/status"; }
metric() { curl -s "http://$address/metrics" | awk -v name="$1" 'index($1, name) == 1 { sum += $2 } END { print sum + 0 }'; }

start() {
	# Each run has a folder of its own, and all go at the end: file systems are slow to create files where many were just removed.
	runs=$((runs + 1))
	local data="$work/data-$runs"
	mkfifo "$work/says"
	# Everything that costs is on, but the stats rows: they cost the database.
	RTCTRACE_STATS_ENABLED=false RTCTRACE_LIMITS_RATE=off RTCTRACE_LIMITS_SESSIONS=20000 RTCTRACE_LIMITS_SOCKETS=20000 \
		taskset -c "${SERVER_CORE:-0}" "$rtctrace" serve --listen 127.0.0.1:0 --data-dir "$data" >"$work/says" 2>"$work/log" &
	server=$!
	read -r line <"$work/says" || die "the collector did not start." "$(cat "$work/log")"
	rm "$work/says"
	address="${line#rtctrace listening on http://}"
	address="${address%/}"
}

# run SESSIONS RATE LINES RAMP: one load on a collector of its own.
run() {
	local sessions="$1" rate="$2" lines="$3" ramp="$4"
	start
	local before idle open later stored
	before="$(cpu)" idle="$(memory)"
	while sleep 1 && memory; do :; done >"$work/rss" 2>/dev/null &
	local sampler=$!
	if ! taskset -c "${LOAD_CORE:-1}" "$rtctrace" load --json --url "ws://$address" --sessions "$sessions" --rate "$rate" \
		--lines "$lines" --ramp "$ramp" --watch "${WATCH:-50}" >"$work/result"; then
		cat "$work/result" "$work/log" >&2
		die "the load failed."
	fi
	kill "$sampler"
	wait "$sampler" || true
	# When all sessions have begun, and just before the first ends; the same where they do not last so long.
	local opened="${ramp%s}" last="$lines"
	[ "$rate" != max ] && [ "$last" -gt "$opened" ] || last="$opened"
	open="$(sed -n "${opened}p" "$work/rss")" later="$(sed -n "${last}p" "$work/rss")"
	until [ "$(metric rtctrace_sessions_stored_total)" -ge "$sessions" ]; do sleep 0.2; done
	stored="$(cpu)"
	printf '%s' "$(cat "$work/result")" | tr -d '{}"' | tr ',' '\n' >"$work/fields"
	field() { awk -F: -v name="$1" '$(NF-1) == name { print $NF; exit }' "$work/fields"; }
	local sent seconds
	sent="$(field sent)" seconds="$(field seconds)"
	local ack99 stored99
	ack99="$(sed 's/.*"ackMs":{[^}]*"p99":\([0-9.]*\).*/\1/' "$work/result")"
	stored99="$(sed 's/.*"storedMs":{[^}]*"p99":\([0-9.]*\).*/\1/' "$work/result")"
	awk -v sessions="$sessions" -v rate="$rate" -v sent="$sent" -v seconds="$seconds" -v ticks="$((stored - before))" -v hz="$ticks" \
		-v ack="$ack99" -v stored="$stored99" -v idle="$idle" -v open="$open" -v later="$later" -v highest="$(highest)" -v lost="$(field lost)" 'BEGIN {
		printf "%6d %5s %9d %5d %8.0f %8.1f %10.1f %12.1f %9.0f %9.0f %9.0f %9.0f\n", sessions, rate, sent, lost, sent / seconds,
			ticks / hz * 1e6 / sent, ack, stored, idle, open, later, highest }'
	stop
}

ramp() { if [ "$1" -gt 1000 ]; then echo "$(($1 / 50))s"; else echo 2s; fi; }

# Memory of sessions that have said who they are and are silent now.
idle() {
	local sessions="$1" before after
	start
	before="$(memory)"
	taskset -c "${LOAD_CORE:-1}" "$rtctrace" load --url "ws://$address" --sessions "$sessions" --rate 0.001 --duration 12s --ramp 4s >"$work/result" 2>&1 &
	local load=$!
	sleep 10
	after="$(memory)"
	printf '%d idle sessions: %d KiB more, %.1f KiB each (of a call with one report)\n' "$sessions" "$((after - before))" \
		"$(awk -v more="$((after - before))" -v n="$sessions" 'BEGIN { print more / n }')"
	wait "$load" || cat "$work/result"
	stop
}

say "CPU of the collector per million lines (reports of 2.3 KB), acknowledgements and stores in ms, memory in KiB"
printf '%6s %5s %9s %5s %8s %8s %10s %12s %9s %9s %9s %9s\n' sess rate lines lost lines/s 'CPU s/M' 'ack p99' 'stored p99' 'RSS start' 'all open' 'last open' highest
for each in ${RUNS-200:max:5000 1000:1:120}; do
	IFS=: read -r sessions rate lines ramp <<<"$each"
	run "$sessions" "$rate" "$lines" "${ramp:-$(ramp "$sessions")}"
done
for sessions in ${GROWTH-100 1000 10000}; do
	run "$sessions" 1 "${GROWTH_LINES:-60}" "$(ramp "$sessions")"
done
idle "${IDLE:-1000}"
