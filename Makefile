# Everything a person does here. `make demo` and `make test` install what they need themselves.
# GNU make 3.81 (macOS) is enough.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help install install-browser demo test matrix conformance ocr fuzz soak lint format bench run login lock clean

BIN := .venv/bin
# Compiled modules are kept whatever the environment says: without them each start of the program compiles them.
export PYTHONDONTWRITEBYTECODE :=
ARGS ?=
GOLDEN ?=
MINUTES ?= 5
# Empty unless uv is installed; venv and pip do the same, slower.
UV := $(shell command -v uv 2>/dev/null)

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  %-16s %s\n", $$1, $$2}'

# The stamp is newer than what decides about it, so a second `make` installs nothing.
.venv/.installed: requirements-dev.lock pyproject.toml scripts/install.sh
	@scripts/install.sh "$(UV)"
	@touch $@

install: .venv/.installed ## Build .venv from the lock file

install-browser: .venv/.installed ## Install Chromium where none is found
	@scripts/install-browser.sh

demo: install-browser ## Stand-in WhatsApp Web, embedded Postgres, one sync, status page (ARGS=--once ends after it)
	@$(BIN)/whatsapp-etl demo $(ARGS)

# What decides is pure: its unit tests alone must reach every line and branch of it.
test: install-browser lint ## Run every test (about 10 minutes on 2 cores); ARGS="tests/unit -x" runs some
ifeq ($(strip $(ARGS)),)
	$(BIN)/pytest -q -n 2 tests/unit --cov --cov-report=
	$(BIN)/coverage report --fail-under=100 --include='whatsapp_etl/transform/*,whatsapp_etl/extract/states.py'
	$(BIN)/pytest -q -n 3 --dist worksteal --ignore=tests/unit
else
	$(BIN)/pytest -q $(ARGS)
endif

matrix: install-browser ## Sync every shape of the page in six languages, with all that may go wrong and all that is in doubt (well over an hour)
	$(BIN)/pytest -q -n 2 -m matrix tests $(ARGS)

# What it reads is written to docs/conformance.md.
conformance: install-browser .conformance/.installed ## Let other people's clients read the stand-in (about 4 minutes; GOLDEN=folder compares recorded screens)
	GOLDEN="$(GOLDEN)" $(BIN)/pytest -q -p no:randomly -m conformance tests/conformance $(ARGS)

.conformance/.installed: .venv/.installed scripts/install-clients.sh $(wildcard tests/conformance/clients/*.txt)
	@scripts/install-clients.sh
	@touch $@

# The extra weighs more than all the rest, so it lies beside .venv, and only who asks for it has it on the path.
ocr: install-browser .ocr/.installed ## Read pictures with the real engines, and measure them (about 8 minutes on 2 cores)
	PYTHONPATH="$(CURDIR)/.ocr" $(BIN)/pytest -q -p no:randomly -m ocr tests $(ARGS)
	PYTHONPATH="$(CURDIR)/.ocr" $(BIN)/python -m benchmarks ocr

.ocr/.installed: .venv/.installed requirements-ocr.lock scripts/install-ocr.sh
	@scripts/install-ocr.sh "$(UV)"
	@touch $@

fuzz: install ## Search for markup that the parser cannot bear, guided by coverage (MINUTES=5)
	@scripts/fuzz.sh $(MINUTES)

soak: install-browser ## Hundreds of cycles on a fast clock while everything goes wrong (MINUTES=60)
	$(BIN)/python -m tests.soak --minutes $(if $(filter command,$(origin MINUTES)),$(MINUTES),60) $(ARGS)

lint: install ## Format check, ruff, mypy, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install-browser ## Measure speed and memory as ratios (about 10 minutes)
	$(BIN)/python -m benchmarks $(ARGS)

run: install-browser ## Sync every ten minutes and serve the status page
	@$(BIN)/whatsapp-etl run $(ARGS)

login: install-browser ## Link the account by scanning a QR code, once
	@$(BIN)/whatsapp-etl login $(ARGS)

# Extras stay written: pip, without uv, else looks for the newest release of "coverage[toml]" and finds no hash for it.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header
lock: ## Pin the dependencies again (needs uv)
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) pyproject.toml --group dev -o requirements-dev.lock
	$(LOCK) --group ocr --constraint requirements-dev.lock -o requirements-ocr.lock

clean: ## Remove .venv and caches; data folders stay
	rm -rf .venv .conformance .ocr .fuzz .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache htmlcov .coverage*
