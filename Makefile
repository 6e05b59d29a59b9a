# Each recipe is a line that a person could type.

.DEFAULT_GOAL := help
.NOTPARALLEL: # two cargos would wait for each other, two runs share two cores
.PHONY: help setup e2e suites test test-static test-unit test-database test-images test-cluster test-faults table soak bench clean

help: ## what can be made
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: ## make this machine ready: Docker, kind, a node image, a linker
	kind/setup

e2e: setup ## set up, then run the HAPI suite on a real cluster
	cargo test --test e2e -- hapi

suites: setup ## SUITES (all) under STRATEGY (overlapped), as a job of the nightly matrix does
	cargo test --test e2e -- $(SUITES) --strategy $(or $(STRATEGY),overlapped)

test: setup test-static test-unit test-database test-images ## set up, then all checks and tests
	cargo test --test e2e -- --events $(CURDIR)/target/e2e.jsonl
	cargo run --quiet --bin kindwright -- table target/e2e.jsonl --check docs/platform.md
	cargo test --test runner

test-static: ## formatting, lints, documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --test e2e --test runner -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	! grep -rq __arg target/doc/kindwright # an argument without a name

test-unit: ## what needs neither Docker nor a database
	cargo build --workspace --all-targets
	cargo test --workspace

test-database: ## migrations, rows and queries against a real PostgreSQL
	fixtures/with-postgresql cargo test --lib -- --include-ignored migrate rows

test-images: setup ## building, keeping and giving up on images, with a real Docker daemon
	cargo test --lib -- --include-ignored image::

test-cluster: setup ## the runner's own tests on a real cluster
	cargo test --test runner

test-faults: setup ## the costly ones too
	cargo test --test runner -- --include-ignored

table: setup ## run all suites, and put what they were into docs/platform.md
	cargo test --test e2e -- --events $(CURDIR)/target/e2e.jsonl
	cargo run --quiet --bin kindwright -- table target/e2e.jsonl --into docs/platform.md

soak: setup ## all suites RUNS times in a row (10), until one run fails; SUITES names some of them
	fixtures/soak $(or $(RUNS),10) $(SUITES)

bench: setup ## how long to the first case, beside a script of the same steps
	fixtures/bench

clean: ## remove what was built
	cargo clean
