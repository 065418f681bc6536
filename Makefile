# The only command surface, for people, hooks and CI. `make` lists the targets; every target sets up what it needs.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

BIN := .venv/bin
SEED ?= 1
MINUTES ?= 10
ARGS ?=
UPGRADE ?=
NO_BROKER := not (integration or e2e or chaos or bench)

.PHONY: help setup bench-setup demo up down topics fmt lint types imports test-fast test check bench chaos replay docs docs-check lock clean kafka

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- environment -----------------------------------------------------------------------------------------------------
setup: .venv/.installed ## create or update .venv from the hash-pinned lock (quick when up to date)

.venv/.created:
	@python=$$(sh .ci/preflight python) && $$python -m venv .venv && touch $@

.venv/.locked: requirements/build.lock requirements/dev.lock | .venv/.created
	@echo "installing the pinned environment into .venv (about a minute)"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements/build.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes --no-build-isolation -r requirements/dev.lock
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-build-isolation --no-deps -e .
	@touch $@

bench-setup: .venv-bench/.locked ## create .venv-bench: peers that pin older clients

.venv-bench/.locked: requirements/bench.lock
	@python=$$(sh .ci/preflight python) && $$python -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements/bench.lock
	@touch $@

kafka:
	@sh .ci/preflight kafka

# ---- running ---------------------------------------------------------------------------------------------------------
demo: kafka setup ## the main job end to end, judged by the oracle (SEED, ARGS)
	$(BIN)/perennial demo --seed $(SEED) $(ARGS)
	$(BIN)/python -m tests.oracle build/demo

up: kafka setup ## start a local Kafka and Redis and print their addresses
	$(BIN)/perennial up $(ARGS)

down: setup ## stop them
	$(BIN)/perennial down $(ARGS)

topics: setup ## create the topics of the catalogue and verify them
	$(BIN)/perennial topics apply $(ARGS)

replay: setup ## show what a compensation replay would send again (ARGS="--since T [--apply]")
	$(BIN)/perennial replay $(ARGS)

# ---- gates -----------------------------------------------------------------------------------------------------------
fmt: setup ## format, and fix what can be fixed
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

lint: setup ## all ruff rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup ## mypy, strict
	$(BIN)/mypy

imports: setup ## the import contract
	$(BIN)/lint-imports --no-logo --cache-dir .cache/import_linter

test-fast: setup ## tests without a broker, under a minute (ARGS)
	$(BIN)/pytest -m "$(NO_BROKER)" $(ARGS)

test: kafka setup ## all tests of CI, on real Kafka and Redis, with coverage (ARGS)
	$(BIN)/pytest -m "not bench" --cov --cov-report=term $(ARGS)

check: lint types imports docs-check test ## all that CI runs

# ---- figures ---------------------------------------------------------------------------------------------------------
bench: kafka setup bench-setup ## throughput and latency beside peers; writes build/bench.json (SEED, ARGS)
	$(BIN)/python -m tests.bench --seed $(SEED) $(ARGS)

chaos: kafka setup ## kills, pauses and faults under load; writes build/chaos.json (MINUTES, SEED, ARGS)
	$(BIN)/python -m tests.chaos --minutes $(MINUTES) --seed $(SEED) $(ARGS)

# ---- documents and locks ---------------------------------------------------------------------------------------------
docs: setup ## write the generated documents anew
	$(BIN)/python -m deploy.docs

docs-check: setup
	@if [ -e deploy/docs/__main__.py ]; then $(BIN)/python -m deploy.docs --check; fi

lock: ## write the hash-pinned locks from pyproject.toml and requirements/*.in (UPGRADE=--upgrade)
	UPGRADE=$(UPGRADE) bash .ci/lock

clean: ## remove what targets wrote; environments stay
	rm -rf build dist .cache .hypothesis *.egg-info
	find connectors deploy processors schemas streams tests -name __pycache__ -type d -prune -exec rm -rf {} +
