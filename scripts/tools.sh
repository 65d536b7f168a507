# The tools every build needs: looks for those that must be there, installs those that the project pins.
# Sourced after lib.sh.

need_tools() {
	if ! command -v rustup >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/rustup" ]; then
		PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
	fi
	local missing=()
	command -v rustup >/dev/null || missing+=("rustup, which installs the Rust toolchain: https://rustup.rs")
	command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null ||
		missing+=("a C compiler, which SQLite is built with: on Debian \"apt-get install build-essential\", on macOS \"xcode-select --install\"")
	if ! command -v node >/dev/null; then
		missing+=("Node.js 20.19 or newer: https://nodejs.org")
	elif ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
		missing+=("Node.js 20.19 or newer, which the viewer is built with; \"node\" on the PATH is $(node --version)")
	fi
	command -v npm >/dev/null || missing+=("npm, which comes with Node.js (on Debian it is a package of its own: \"apt-get install npm\")")
	if [ ${#missing[@]} -gt 0 ]; then
		die "cannot start, because this machine lacks:" "${missing[@]}"
	fi
}

toolchain_is_complete() {
	# Asked of rustup, not of cargo: a cargo that is missing may install itself, or be told not to by RUSTUP_AUTO_INSTALL=0.
	local channel installed wanted
	channel="$(sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)"
	installed="$(rustup component list --toolchain "$channel" --installed 2>/dev/null)" || return
	for wanted in rustc rustfmt clippy rust-std-wasm32-unknown-unknown rust-src; do
		case "$installed" in *"$wanted"*) ;; *) return 1 ;; esac
	done
}

install_toolchain() {
	if toolchain_is_complete; then
		printf 'up to date\n'
	elif ! rustup toolchain install --no-self-update; then
		printf 'Without arguments this command reads rust-toolchain.toml from rustup 1.28 on; here is %s\n' "$(rustup --version 2>/dev/null)" >&2
		return 1
	fi
}

install_packages() {
	# A copy of the lock file tells what the folder holds; it goes with the folder.
	local installed=node_modules/.rtctrace-package-lock.json
	if cmp -s package-lock.json "$installed"; then
		printf 'up to date\n'
		return
	fi
	npm ci || return
	cp package-lock.json "$installed"
}

# The database of the tests: another server, or what they start themselves.
provide_database() {
	if [ -n "${RTCTRACE_TEST_DATABASE_URL:-}" ]; then
		printf 'the server that RTCTRACE_TEST_DATABASE_URL names\n'
	else
		bash scripts/timescale.sh install
	fi
}
