# Everything a developer runs. Each target works from a fresh clone: it makes the environment first.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help demo test soak check format bench docs screenshots services constraints clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "mltrace-otel needs Python 3.11 or newer; choose one: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python \
		--constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: .venv/ready ## show an example pipeline with a fault to find; ARGS=--exit ends it by itself
	@$(BIN)/mltrace demo $(ARGS)

test: services ## run the tests on all cores; ARGS goes to pytest
	$(BIN)/pytest --numprocesses auto --dist loadfile $(ARGS)

soak: services ## kill the exporter twenty times under load, keep its database away for a minute
	MLTRACE_TEST_KILLS=20 MLTRACE_TEST_AWAY_S=60 \
		$(BIN)/pytest tests/system/test_faults.py tests/system/test_database_faults.py $(ARGS)

check: .venv/ready ## format, lint, types and import rules
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/ready ## format and mend what ruff can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: .venv/ready ## measure; the figures are explained in benchmarks/README.md
	@$(BIN)/python benchmarks/run.py $(ARGS)

docs: .venv/ready ## write the generated pages and build site/
	$(BIN)/python docs/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

screenshots: .venv/ready ## take the pictures in docs/images
	$(BIN)/python docs/screenshots.py

services: .venv/ready ## get the programs that tests use, and say what is missing
	@$(BIN)/python tests/provide.py

constraints: .venv/ready ## renew constraints.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras \
		--no-annotate --no-header --no-emit-index-url --no-emit-find-links \
		--output-file constraints.txt pyproject.toml

clean: ## remove what was built here
	rm -rf .venv build dist site
