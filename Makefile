# The commands that a newcomer needs. `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help run check test bench build deploy fmt lint unit

# The project's own SAM CLI and cargo-lambda if tests/rig/setup.sh has installed them, otherwise those of the machine.
export PATH := $(CURDIR)/.venv/sam/bin:$(PATH)
ARCH ?= arm64

help: ## list these commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 16

run: ## serve the whole bundle on this machine, with a demo Mattermost; it needs only Rust and a C compiler
	@cargo run -p cloud-apps --no-default-features -- serve $(ARGS)

check: fmt lint unit ## format, clippy and all tests that need only cargo

test: ## everything: installs what is missing (says so first), check, emulators, sam, bench
	@command -v python3 >/dev/null || tests/rig/setup.sh
	@python3 tests/rig/run.py

bench: ## build the functions and print start-up, size and speed as ratios, to target/bench.json too
	@python3 tests/rig/run.py setup build
	@cargo build -q --release -p bench && target/release/bench .aws-sam/build

build: ## build the functions for AWS (ARCH=arm64 or x86_64)
	sam build --parameter-overrides Architecture=$(ARCH)

deploy: build ## build and deploy with your AWS credentials (ARGS=--guided the first time)
	sam deploy --parameter-overrides Architecture=$(ARCH) $(ARGS)

# --- parts of `check` ---------------------------------------------------------------------------------------------------
# These use the whole workspace, because for one package cargo resolves features differently and compiles most of it again.
fmt:
	cargo fmt --all --check

lint:
	cargo clippy --quiet --workspace --all-targets --features cloud-apps-aws/emulators,cloud-apps/rig,stack-tests/rig -- -D warnings

# Tests that need more than cargo are behind features (`emulators`, `rig`). `make test` runs them.
unit:
	cargo test --quiet --workspace --no-fail-fast
