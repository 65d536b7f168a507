#!/usr/bin/env bash
# What extracting features costs: `rtctrace features` over a dump of a call of hours, as upstream's server writes it, plain and packed. CPU
# seconds per MB of text, and the highest memory above that for a tiny dump. Linux only.
#
#   MEGABYTES=50 REPEAT=5
. "$(dirname "$0")/lib.sh"

[ -r /proc/self/stat ] || die "bench-extract reads memory from /proc; this system has none."
[ -n "${RTCTRACE:-}" ] || part "collector" cargo build --release --locked --package rtctrace
rtctrace="${RTCTRACE:-$CARGO_TARGET_DIR/release/rtctrace}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
TIMEFORMAT='%U %S'

say "A dump of ${MEGABYTES:=50} MB"
cargo run --quiet --locked --package rtctrace-features --example long_call "$MEGABYTES" >"$work/dump"
gzip -c "$work/dump" >"$work/dump.gz"
printf 'RTCStatsDump\n{"fileFormat":3}\n["create",null,{},1795159383861]\n' >"$work/tiny"
gzip -c "$work/tiny" >"$work/tiny.gz"

# CPU seconds of one run, user and system.
cpu() { { time "$rtctrace" features "$1" >/dev/null; } 2>&1 | awk '{ print $1 + $2 }'; }

# The highest memory of one run, in KiB, told when all is read and before the input ends.
highest() {
	mkfifo "$work/input"
	"$rtctrace" features "$work/input" >/dev/null &
	local reader=$!
	exec 3>"$work/input"
	cat "$1" >&3
	sleep 0.5
	awk '/^VmHWM:/ { print $2 }' "/proc/$reader/status"
	exec 3>&-
	wait "$reader"
	rm "$work/input"
}

printf '%-6s %12s %14s %14s %14s\n' dump 'CPU s/MB' 'tiny, KiB' 'whole, KiB' 'more, MB'
for packed in "" .gz; do
	best="$(for _ in $(seq "${REPEAT:-5}"); do cpu "$work/dump$packed"; done | sort -n | head -n 1)"
	tiny="$(highest "$work/tiny$packed")" whole="$(highest "$work/dump$packed")"
	awk -v name="${packed:-plain}" -v cpu="$best" -v bytes="$(wc -c <"$work/dump")" -v tiny="$tiny" -v whole="$whole" 'BEGIN {
		printf "%-6s %12.5f %14d %14d %14.2f\n", name, cpu / bytes * 1e6, tiny, whole, (whole - tiny) * 1024 / 1e6 }'
done
