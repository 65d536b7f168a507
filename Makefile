# The commands of the project. What each does is in scripts/, which needs nothing but bash, rustup, Node.js 20 and a C compiler.

.PHONY: help run build test lint fmt fuzz bench soak-lossless bench-client bench-server bench-writer bench-api bench-sora bench-import bench-extract bench-viewer soak-client soak-crash soak-writer clean
.NOTPARALLEL:

help:
	@echo 'make run     build everything and start the collector on http://127.0.0.1:8080, with its data under ./data'
	@echo 'make test    install what the tests need, then run every check and test'
	@echo 'make build   target/release/rtctrace, npm/dist/ and dump-viewer/dist/'
	@echo 'make lint    format, clippy and type checks'
	@echo 'make fmt     format the Rust code'
	@echo 'make fuzz    an hour of hostile input by coverage, after a long run of the property tests (FUZZ_SECONDS=720 PROPTEST_CASES=1000000)'
	@echo 'make bench   what a report costs to encode, to read and to decode, natively and in wasm'
	@echo 'make bench-server   CPU of the collector per million lines, and its memory (RUNS, GROWTH: see scripts/bench-server.sh)'
	@echo 'make bench-writer   rows of stats per second of the collector'"'"'s processor time, on their way to PostgreSQL'
	@echo 'make bench-api      what a page of a list of a million sessions takes over TimescaleDB, by filter'
	@echo 'make bench-sora     1000 connections of Sora push once a second: how soon they are answered, and CPU per million entries (CONNECTIONS, SECONDS, ENTRIES, LINKS)'
	@echo 'make bench-import   a log of Sora'"'"'s of 100 MB imported: MB/s, CPU per MB, memory (MEGABYTES=100 CONNECTIONS=1000)'
	@echo 'make bench-extract   CPU of extracting features per MB of a 50 MB dump, and its memory (MEGABYTES=50 REPEAT=5)'
	@echo 'make soak-lossless  calls on failing networks for 10 minutes (MINUTES=10 SEED=1)'
	@echo 'make bench-viewer   what dumps of 5 and 50 MB cost the viewer: first graph, CPU, memory, frames (MEGABYTES="5 50")'
	@echo 'make bench-client   what a poll costs the page, beside a bare JSON.stringify (REPEAT=3 POLLS=120 PROFILE=1)'
	@echo 'make soak-client    the memory of a page that is polled for 10 minutes (MINUTES=10)'
	@echo 'make soak-crash    the collector killed 100 times under 200 sessions, every dump compared (FALLS=100 SESSIONS=200)'
	@echo 'make soak-writer   1000 sessions write 26 rows a second each for 5 minutes, counted afterwards (MINUTES=5 SESSIONS=1000 STOP_DATABASE=1)'
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
	cargo fmt --manifest-path fuzz/Cargo.toml

fuzz:
	@bash scripts/fuzz.sh

bench:
	@bash scripts/bench.sh

soak-lossless:
	@bash scripts/soak-lossless.sh

bench-server:
	@bash scripts/bench-server.sh

bench-writer:
	@bash scripts/bench-writer.sh

bench-api:
	@bash scripts/bench-api.sh

bench-sora:
	@bash scripts/bench-sora.sh

bench-import:
	@bash scripts/bench-import.sh

bench-extract:
	@bash scripts/bench-extract.sh

bench-viewer:
	@bash scripts/bench-viewer.sh

bench-client:
	@bash scripts/bench-client.sh

soak-client:
	@bash scripts/soak-client.sh

soak-crash:
	@bash scripts/soak-crash.sh

soak-writer:
	@bash scripts/soak-writer.sh

clean:
	rm -rf target fuzz/corpus fuzz/seeds fuzz/*.log node_modules npm/build npm/dist npm/node_modules dump-viewer/dist dump-viewer/src/wasm dump-viewer/node_modules tests/node_modules tests/results
