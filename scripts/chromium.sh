# The browser of the end-to-end tests. Sourced after lib.sh.

find_chromium() {
	if [ -n "${CHROMIUM:-}" ]; then
		[ -x "$CHROMIUM" ] || die "CHROMIUM names $CHROMIUM, which is no program."
		return
	fi
	local name
	for name in chromium chromium-browser google-chrome google-chrome-stable; do
		if command -v "$name" >/dev/null; then
			CHROMIUM="$(command -v "$name")"
			export CHROMIUM
			return
		fi
	done
	return 1
}

is_debian() { [ -r /etc/os-release ] && grep -q '^ID=debian$' /etc/os-release; }

install_chromium() {
	if ! find_chromium && is_debian && [ "$(id -u)" = 0 ]; then
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -q </dev/null || return
		apt-get install -q -y --no-install-recommends chromium </dev/null || return
	fi
	find_chromium || die "the end-to-end tests need a Chromium, and none is on the PATH." \
		"On Debian: sudo apt-get install chromium" \
		"Elsewhere, name the program: CHROMIUM=/path/to/chrome make test"
	printf '%s\n' "$("$CHROMIUM" --version --no-sandbox 2>/dev/null || true) ($CHROMIUM)"
}
