# The checks of the code as text and types. Sourced after lib.sh.
# The type checks need the generated modules, so they come after the web parts.

check_format() {
	cargo fmt --all --check || return
	cargo fmt --check --manifest-path fuzz/Cargo.toml
}

check_types() {
	local package
	for package in npm dump-viewer tests; do
		npm run --silent check --workspace "$package" || return
	done
}

check_clippy() {
	# The workspace of fuzz/ has a lock of its own, which goes stale when a crate gets a new dependency.
	cargo update --quiet --workspace --locked --manifest-path fuzz/Cargo.toml || return
	cargo clippy --workspace --all-targets --locked -- --deny warnings || return
	# What runs in the browser has code of its own behind cfg(target_arch).
	# One after the other: together they would share the features of their dependencies, and the client has no standard library.
	cargo clippy --package rtctrace-client-wasm --target wasm32-unknown-unknown --locked -- --deny warnings || return
	cargo clippy --package rtctrace-viewer-wasm --target wasm32-unknown-unknown --locked -- --deny warnings
}
