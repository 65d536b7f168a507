# The browsers of the tests. Sourced after lib.sh.

is_debian() { [ -r /etc/os-release ] && grep -q '^ID=debian$' /etc/os-release; }

# find_browser VARIABLE NAME...: the program that the variable names already, or the first of these on the PATH.
find_browser() {
	local variable="$1" name
	shift
	if [ -n "${!variable:-}" ]; then
		[ -x "${!variable}" ] || die "$variable names ${!variable}, which is no program."
		return
	fi
	for name in "$@"; do
		if command -v "$name" >/dev/null; then
			printf -v "$variable" %s "$(command -v "$name")"
			export "${variable?}"
			return
		fi
	done
	return 1
}

# install_browser VARIABLE PACKAGE MISSING EXAMPLE NAME...: finds it, or installs Debian's package as root, or says what is missing.
install_browser() {
	local variable="$1" package="$2" missing="$3" example="$4"
	shift 4
	if ! find_browser "$variable" "$@" && is_debian && [ "$(id -u)" = 0 ]; then
		export DEBIAN_FRONTEND=noninteractive
		apt-get update -q </dev/null || return
		apt-get install -q -y --no-install-recommends "$package" </dev/null || return
	fi
	find_browser "$variable" "$@" || die "$missing, and none is on the PATH." \
		"On Debian: sudo apt-get install $package" \
		"Elsewhere, name the program: $variable=$example make test"
}

install_chromium() {
	install_browser CHROMIUM chromium "the end-to-end tests need a Chromium" /path/to/chrome \
		chromium chromium-browser google-chrome google-chrome-stable || return
	printf '%s\n' "$("$CHROMIUM" --version --no-sandbox 2>/dev/null || true) ($CHROMIUM)"
}

install_firefox() {
	install_browser FIREFOX firefox-esr "the tests need a Firefox beside the Chromium" /path/to/firefox firefox-esr firefox || return
	printf '%s\n' "$("$FIREFOX" --version 2>/dev/null || true) ($FIREFOX)"
}
