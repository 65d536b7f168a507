#!/usr/bin/env bash
# A search for input that breaks a rule. First the property tests of `protocol`: a million cases of each unless PROPTEST_CASES
# says otherwise. Then, by coverage (libFuzzer), each of the targets of fuzz/ for FUZZ_SECONDS: by default all of them
# together for an hour. Only some of them: `scripts/fuzz.sh v1 upload`. What was found stays in fuzz/corpus and fuzz/artifacts,
# and the next run begins with it.
. "$(dirname "$0")/lib.sh"
. scripts/tools.sh

for variable in $(compgen -v RTCTRACE_); do unset "$variable"; done

targets=(v1 rtcstats jitsi sora upload token)
if [ $# -gt 0 ]; then targets=("$@"); fi
seconds="${FUZZ_SECONDS:-$((3600 / ${#targets[@]}))}"

need_tools
if ! command -v c++ >/dev/null && ! command -v g++ >/dev/null && ! command -v clang++ >/dev/null; then
	die "cannot start, because this machine lacks:" "a C++ compiler, which libFuzzer is built with: on Debian \"apt-get install build-essential\""
fi
part "Rust toolchain" install_toolchain

property_tests() {
	# debug-assertions: an overflow or a broken invariant must show, though the code is optimised.
	CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true \
		PROPTEST_CASES="${PROPTEST_CASES:-1000000}" cargo test --release --locked --package rtctrace-protocol
}

host="$(rustc --version --verbose | sed -n 's/^host: //p')"

# The counters of libFuzzer are a pass of LLVM's, which the pinned stable compiler has: no nightly, no cargo-fuzz. With a target
# named, the flags are not those of build scripts and macros.
build_targets() {
	local flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
	flags="$flags -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
	RUSTFLAGS="$flags" cargo build --release --locked --manifest-path fuzz/Cargo.toml --target "$host"
}

# What the collector writes goes to memory where there is a file system in it.
if [ -d /dev/shm ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi

# search TARGET: prints what libFuzzer says once in a while, and its figures at the end.
search() {
	local target="$1" binary="$CARGO_TARGET_DIR/$host/release/$1" corpus="fuzz/corpus/$1" found="fuzz/artifacts/$1"
	mkdir -p "$corpus" "$found"
	RTCTRACE_FUZZ_SEEDS="fuzz/seeds/$target" "$binary" || return
	# A finding ends the search of its target: it stands in the way of others. What the search learned is kept.
	local status=0
	"$binary" "$corpus" "fuzz/seeds/$target" -max_total_time="$seconds" -dict=fuzz/dictionary.txt -artifact_prefix="$found/" \
		-max_len=16384 -timeout=60 -rss_limit_mb=3072 -print_final_stats=1 2>"fuzz/$target.log" || status=$?
	local line
	line="$(grep -E '^#[0-9]+.*cov:' "fuzz/$target.log" | tail -n 1 | sed -E 's/^#([0-9]+).*cov: ([0-9]+) ft: ([0-9]+) corp: ([0-9]+).*/\1 inputs, \2 places covered, \3 features, \4 inputs kept/')"
	results+=("$(printf '%-9s %s; %d findings in %s' "$target" "$line" "$(find "$found" -type f | wc -l)" "$found")")
	if [ "$status" != 0 ]; then
		tail -n 40 "fuzz/$target.log"
	fi
	return "$status"
}

results=()
failed=()
part "property tests of rtctrace-protocol" property_tests
part "fuzz targets" build_targets
for target in "${targets[@]}"; do
	say "$target, $seconds s"
	search "$target" || failed+=("$target")
done
printf '\n'
printf '%s\n' "${results[@]}"
parts_summary
if [ ${#failed[@]} -gt 0 ]; then
	die "an input broke a rule in: ${failed[*]}" "To see it again: target/$host/release/TARGET fuzz/artifacts/TARGET/FILE"
fi
