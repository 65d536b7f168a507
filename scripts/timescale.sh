#!/usr/bin/env bash
# A PostgreSQL with TimescaleDB for tests. Run, it prepares the programs where they are missing, starts a server of its own over
# an empty folder, prints its URL, and ends it when standard input ends: so it goes with whoever started it, however that one
# ends. A line `stop` stops the server as a power cut would, a line `start` starts it again; each is answered when it is done.
#
# The programs are Debian's, of the suite that has TimescaleDB, unpacked beside the system's own: nothing is installed.
# With the argument `install` it prepares the programs and does no more.
set -euo pipefail

suite=trixie
packages="postgresql-17 postgresql-17-timescaledb patchelf"
revision=1

fail() {
	printf 'rtctrace: the tests need a PostgreSQL with TimescaleDB: %s\n' "$1" >&2
	printf '  Name another server with RTCTRACE_TEST_DATABASE_URL=postgres://user:password@host/postgres; the tests make\n' >&2
	printf '  databases of their own there. The image timescale/timescaledb-ha is one.\n' >&2
	exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

# The server refuses to run as root. The folder must be one that its user may pass through, and its path must not change.
if [ -n "${RTCTRACE_TEST_CACHE:-}" ]; then
	cache="$RTCTRACE_TEST_CACHE"
elif is_root; then
	cache=/var/cache/rtctrace
else
	cache="${XDG_CACHE_HOME:-$HOME/.cache}/rtctrace"
fi
prefix="$cache/timescaledb-$suite-$revision"
programs="$prefix/usr/lib/postgresql/17/bin"

# as_server COMMAND...: runs it as the user of the server.
as_server() {
	if is_root; then
		(cd / && exec setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups -- "$@")
	else
		(cd / && exec "$@")
	fi
}

private_apt() {
	local state="$1"
	shift
	apt-get -q -o Dir::State="$state/state" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
		-o Dir::Etc::SourceList="$state/sources.list" -o Dir::Etc::SourceParts="$state/none" -o Dir::Etc::Preferences=/dev/null \
		-o Dir::Etc::PreferencesParts="$state/none" -o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=false \
		-o Debug::NoLocking=1 "$@" </dev/null
}

fetch() {
	local state="$1" site keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	command -v apt-get >/dev/null && command -v dpkg >/dev/null || fail "this is no Debian, where it could be had from."
	[ -r "$keyring" ] || fail "$keyring is missing; install debian-archive-keyring."
	# The mirror is the one that this machine uses anyway.
	site="$(apt-get indextargets --format '$(SITE)' | grep -v security | grep debian | head -n 1 || true)"
	[ -n "$site" ] || fail "the apt configuration of this machine names no Debian mirror."
	mkdir -p "$state/none" "$state/state/lists/partial" "$state/cache/archives/partial"
	# An empty status: everything is fetched that the programs need, the C library among it.
	: >"$state/status"
	printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$site" "$suite" >"$state/sources.list"
	private_apt "$state" update || fail "the suite $suite cannot be read from $site."
	# shellcheck disable=SC2086
	private_apt "$state" --yes --download-only install $packages || fail "its packages cannot be fetched from $site."
}

unpack() {
	local state="$1" package program libraries loader
	for package in "$state"/cache/archives/*.deb; do
		dpkg -x "$package" "$prefix" || fail "$package cannot be unpacked."
	done
	rm -rf "$prefix"/usr/share/{doc,man,locale,perl} "$prefix"/usr/lib/*/perl* "$prefix"/usr/lib/postgresql/17/lib/bitcode
	rm -f "$prefix"/usr/lib/*/libLLVM*
	libraries="$(echo "$prefix"/usr/lib/*-linux-gnu*)"
	loader="$(find "$prefix/usr/lib64" "$prefix/usr/lib" -maxdepth 1 -name 'ld-linux*' 2>/dev/null | head -n 1)"
	[ -n "$loader" ] || fail "its packages have no program loader."
	for program in postgres initdb pg_ctl; do
		"$loader" --library-path "$libraries" "$prefix/usr/bin/patchelf" --set-interpreter "$loader" --force-rpath \
			--set-rpath "$libraries" "$programs/$program" || fail "$program cannot be prepared."
	done
}

install_timescale() {
	[ ! -e "$prefix/complete" ] || return 0
	mkdir -p "$cache" || fail "$cache cannot be made."
	# Two at once: the second finds what the first has made.
	exec 9>"$cache/lock"
	if command -v flock >/dev/null; then flock 9; fi
	if [ ! -e "$prefix/complete" ]; then
		local state="$cache/apt"
		rm -rf "$prefix" "$state"
		mkdir -p "$prefix"
		fetch "$state" >&2
		unpack "$state" >&2
		rm -rf "$state"
		as_server "$programs/postgres" --version >&2 || fail "what was unpacked to $prefix does not run as an ordinary user."
		touch "$prefix/complete"
	fi
	exec 9>&-
}

start() {
	# The collector under test must see what a server says of itself, in English.
	as_server env LC_ALL=C "$programs/pg_ctl" start --silent --wait --timeout=60 --pgdata="$data/pg" --log="$data/log" --options="$options -c port=$port" >&2
}

stop() { as_server "$programs/pg_ctl" stop --silent --wait --mode="$1" --pgdata="$data/pg" >&2 || true; }

clean_up() {
	stop immediate
	rm -rf "$data"
}

serve() {
	data="$(mktemp -d "${TMPDIR:-/tmp}/rtctrace-postgres.XXXXXX")"
	trap clean_up EXIT
	trap 'exit 1' HUP INT TERM
	chmod 755 "$data"
	if is_root; then chown nobody "$data"; fi
	as_server "$programs/initdb" --auth=trust --username=postgres --locale=C.UTF-8 --encoding=UTF8 --no-sync --pgdata="$data/pg" \
		>"$data/initdb.log" 2>&1 || { cat "$data/initdb.log" >&2; fail "its files cannot be made in $data."; }
	options="-c shared_preload_libraries=${RTCTRACE_TEST_PRELOAD-timescaledb} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' \
		-c max_connections=300 -c fsync=off -c jit=off -c max_wal_size=4GB -c timescaledb.telemetry_level=off -c timescaledb.max_background_workers=0"
	local attempt
	for attempt in 1 2 3 4 5 6 7 8 9 10; do
		port=$((20000 + RANDOM % 12000))
		if start; then break; fi
		if [ "$attempt" = 10 ] || ! grep -q 'Address already in use' "$data/log"; then
			cat "$data/log" >&2
			fail "it does not start."
		fi
	done
	printf 'postgres://postgres@127.0.0.1:%s/postgres\n' "$port"
	while read -r command; do
		case "$command" in
		stop) stop immediate ;;
		start) start ;;
		esac
		printf '%s\n' "$command"
	done
}

case "${1:-serve}" in
install)
	install_timescale
	printf '%s (%s)\n' "$(as_server "$programs/postgres" --version)" "$prefix"
	;;
serve)
	install_timescale
	serve
	;;
*) fail "$0 takes no argument, or \`install\`." ;;
esac
