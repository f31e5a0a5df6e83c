# Two commands matter: `make demo` and `make test`. Both install what is missing first.

CARGO ?= cargo
# A toolchain installed a moment ago is not in this shell's PATH yet.
export PATH := $(HOME)/.cargo/bin:$(PATH)
export BARTIZAN_VENV := $(CURDIR)/target/venv

# The console's pages, where Node is. Without it the programs are built all the same, and the console says how to build them.
PAGES = if command -v npm >/dev/null 2>&1; then cd web && { test -d node_modules || npm ci --ignore-scripts; } && npm run build; \
	else echo "no npm: the console's pages are left out"; fi
PROGRAMS := -p bartizan -p bartizan-server -p bartizan-guard -p bartizan-agent -p bartizan-tuf -p bartizan-probe

.PHONY: help demo test test-long bench fuzz deny mutants coverage

help:
	@echo "make demo         play the story on real parts, then keep running until Ctrl-C"
	@echo "make demo ONCE=1  play the story and stop"
	@echo "make test         everything that decides whether a change lands"
	@echo "make test-long    the same properties with many more cases"
	@echo "make bench        the figures of docs/dev/bench.md"
	@echo "make fuzz         each fuzz target for a minute (needs a C++ compiler; builds for a quarter of an hour the first time)"
	@echo "make mutants      changes the verification files one place at a time (needs cargo-mutants; FILE=… for some)"
	@echo "make coverage     which lines of bartizan-trust its tests reach (needs cargo-llvm-cov or cargo-tarpaulin)"
	@echo "make deny         licences and advisories (needs cargo-deny)"

demo:
	scripts/setup demo
	$(PAGES)
	$(CARGO) build $(PROGRAMS)
	target/debug/bartizan demo $(if $(ONCE),--once)

test:
	scripts/setup test
	$(CARGO) xtask ci

test-long:
	scripts/setup test
	PROPTEST_CASES=20000 BARTIZAN_MODEL_DEPTH=1 $(CARGO) nextest run --workspace --profile long
	BARTIZAN_EVERY_COMBINATION=1 $(CARGO) xtask web
	$(CARGO) build --release -p bartizan-scan
	scripts/scan-usr

bench:
	scripts/setup demo
	$(CARGO) bench -p bartizan-trust --bench authorize
	$(CARGO) build --release $(PROGRAMS)
	$(CARGO) run --release -p bartizan-testkit --bin bartizan-load -- --agents 1000 --json

fuzz:
	scripts/fuzz

deny:
	cargo deny check

mutants:
	scripts/mutants $(FILE)

coverage:
	scripts/coverage
