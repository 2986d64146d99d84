# The two commands of a newcomer are `make demo` and `make test`; both build .venv from the committed, hash-pinned lock.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test check format lint types layers lock clean help

help:          ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | expand -t 12

.venv/runtime.stamp: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing Starwatch's locked dependencies into .venv (once)" >&2
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-build-isolation --no-deps --config-settings editable_mode=compat --editable .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/runtime.stamp
	@echo "installing the test tools into .venv (once)" >&2
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

demo: .venv/runtime.stamp ## a patrol of a simulated fleet, then your questions; ARGS=--once for no questions
	@$(BIN)/starwatch demo $(ARGS)

test: .venv/dev.stamp ## the test suite; ARGS="-k word" for a part of it
	@$(BIN)/python -m pytest $(ARGS)

check: .venv/dev.stamp lint types layers test ## what CI runs: format, lint, types, layers, tests

format: .venv/dev.stamp ## rewrite the code in the house format
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lint: .venv/dev.stamp ## format and lint, without changing anything
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .

types: .venv/dev.stamp ## strict types
	@$(BIN)/mypy

layers: .venv/dev.stamp ## imports run one way
	@$(BIN)/lint-imports --no-cache

lock: ## pin the newest allowed versions (needs uv)
	@uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group build -o requirements.lock
	@uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock

clean: ## forget .venv and the caches
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
