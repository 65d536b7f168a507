# What the other scripts share: messages, timed parts, and the question whether something must be built again.
# Sourced, never run. Written for the bash 3.2 that macOS ships as much as for today's.

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"

# The artefacts have fixed places, whatever the caller's shell says.
export CARGO_TARGET_DIR="$root/target"
if [ -n "${CI:-}" ]; then
	# Incremental state costs time and disk, and a fresh clone never uses it.
	export CARGO_INCREMENTAL="${CARGO_INCREMENTAL:-0}"
fi

say() { printf '\n==> %s\n' "$*"; }

die() {
	printf '\nrtctrace: %s\n' "$1" >&2
	shift
	for line in "$@"; do printf '  %s\n' "$line" >&2; done
	exit 1
}

parts=()
parts_started=$SECONDS

# part NAME COMMAND...: runs the command and remembers how long it took.
part() {
	local name="$1" started=$SECONDS
	shift
	say "$name"
	if ! "$@"; then
		parts+=("$(printf '%6d s  %s  (failed)' $((SECONDS - started)) "$name")")
		parts_summary
		die "\"$name\" failed; its output is above."
	fi
	parts+=("$(printf '%6d s  %s' $((SECONDS - started)) "$name")")
}

parts_summary() {
	printf '\nTime of each part:\n'
	for line in ${parts[@]+"${parts[@]}"}; do printf '%s\n' "$line"; done
	printf '%6d s  in all\n' $((SECONDS - parts_started))
}

stamps="$root/target/stamps"

# unless_fresh NAME OUTPUT SOURCE... -- COMMAND...: runs the command only when the output is missing or a source (a file, or
# any file in a folder) is newer than the last successful run.
unless_fresh() {
	local name="$1" output="$2" stamp="$stamps/$1" sources=()
	shift 2
	while [ "$1" != -- ]; do
		if [ -e "$1" ]; then sources+=("$1"); fi
		shift
	done
	shift
	if [ -e "$output" ] && [ -e "$stamp" ] &&
		[ -z "$(find "${sources[@]}" \( -name node_modules -o -name dist \) -prune -o -type f -newer "$stamp" -print | head -n 1)" ]; then
		printf 'up to date\n'
		return
	fi
	mkdir -p "$stamps"
	# Dated before the command reads its sources, so that an edit made meanwhile is not missed.
	touch "$stamp.new"
	"$@" || return
	mv "$stamp.new" "$stamp"
}
