# The parts that are built, each only when its sources changed.
# Sourced after lib.sh and tools.sh.

rust_pins="Cargo.toml Cargo.lock rust-toolchain.toml .cargo"

client_wasm() {
	# shellcheck disable=SC2086
	unless_fresh client-wasm npm/build/rtctrace_bg.wasm client-wasm protocol xtask $rust_pins package-lock.json -- cargo xtask wasm client
}

npm_package() {
	unless_fresh npm-package npm/dist/index.js npm package-lock.json -- npm run --silent build --workspace npm
}

viewer_wasm() {
	# shellcheck disable=SC2086
	unless_fresh viewer-wasm dump-viewer/src/wasm/viewer_bg.wasm dump-viewer/wasm protocol features xtask $rust_pins package-lock.json -- cargo xtask wasm viewer
}

viewer() {
	unless_fresh viewer dump-viewer/dist/index.html dump-viewer package-lock.json -- npm run --silent build --workspace dump-viewer
}

prepare() {
	need_tools
	part "Rust toolchain" install_toolchain
	part "npm packages" install_packages
}

client_parts() {
	part "client: WebAssembly" client_wasm
	part "client: npm package" npm_package
}

web_parts() {
	client_parts
	part "viewer: WebAssembly" viewer_wasm
	part "viewer: web app" viewer
}

# prepare_chromium PARTS: what the long runs and the measurements in Chromium begin with. Needs browsers.sh.
prepare_chromium() {
	prepare
	part "Chromium" install_chromium
	"$1"
}
