# `make` lists the targets. Everything runs inside .venv, built from constraints.txt (pinned, with hashes).
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format lint types layers docs docs-check test-slow bench ui lock schema clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(STAMP): constraints.txt pyproject.toml
	$(PYTHON) -m venv .venv || python3 -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

setup: $(STAMP) ## build .venv from the pinned packages

demo: setup ## the main job on a simulated company, end to end
	$(BIN)/leadlift demo

test: setup ## the tests, doctests included
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" $(PYTEST_FLAGS)

check: setup format lint types layers docs-check test ## what CI runs

format: setup ## is the code formatted?
	$(BIN)/ruff format --no-cache --check .

lint: setup ## ruff
	$(BIN)/ruff check --no-cache .

types: setup ## mypy, strict on src
	$(BIN)/mypy

layers: setup ## imports only go down
	$(BIN)/lint-imports

docs: setup ## write the generated parts of README, docs and schemas
	$(BIN)/python docs/build.py

docs-check: setup ## are the generated parts current?
	$(BIN)/python docs/build.py --check

test-slow: setup ## coverage of intervals, false alarms: hours, resumable
	$(BIN)/python -m pytest -m slow

bench: setup ## ratios against peers and physical limits
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/areas.py
	$(BIN)/python benchmarks/assignment.py
	$(BIN)/python benchmarks/ledger.py
	$(BIN)/python benchmarks/learners.py
	$(BIN)/python benchmarks/strategies.py
	$(BIN)/python benchmarks/problems.py

ui: setup ## the MLflow UI on this folder's store
	$(BIN)/leadlift ui

lock: setup ## pin anew: constraints.txt with hashes and no index address
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra lock --python-version 3.11 --universal \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --upgrade -o constraints.txt

clean: ## remove what the targets built
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
