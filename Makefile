# The commands of the project. What each does is in scripts/, which needs nothing but bash, rustup, Node.js 20 and a C compiler.

.PHONY: help run build test lint fmt fuzz clean
.NOTPARALLEL:

help:
	@echo 'make run     build everything and start the collector on http://127.0.0.1:8080, with its data under ./data'
	@echo 'make test    install what the tests need, then run every check and test'
	@echo 'make build   target/release/rtctrace, npm/dist/ and dump-viewer/dist/'
	@echo 'make lint    format, clippy and type checks'
	@echo 'make fmt     format the Rust code'
	@echo 'make fuzz    a long run of the property tests (PROPTEST_CASES=1000000)'
	@echo 'make clean   remove what was built and installed here; ./data stays'

run: build
	@exec bash scripts/run.sh

build:
	@bash scripts/build.sh

test:
	@bash scripts/test.sh

lint:
	@bash scripts/lint.sh

fmt:
	cargo fmt --all

fuzz:
	@bash scripts/fuzz.sh

clean:
	rm -rf target node_modules npm/build npm/dist npm/node_modules dump-viewer/dist dump-viewer/src/wasm dump-viewer/node_modules tests/node_modules tests/results
