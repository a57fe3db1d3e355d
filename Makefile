# `make` alone lists the commands.
SHELL := /bin/sh
# The first one that is new enough: `python3` may be older than a python3.11 beside it.
PYTHON ?= $(or $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
    $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done),python3)
VENV := .venv
SETS ?= ../shared/data/sets
BIN := $(CURDIR)/$(VENV)/bin
PIP := "$(BIN)/python" -m pip --disable-pip-version-check --no-input
INSTALL := $(PIP) install --quiet --no-deps --require-hashes --only-binary :all:
export PATH := $(BIN):$(PATH)
export PYTHONUNBUFFERED := 1
# Where it is set, each of many processes compiles all of our modules again.
unexport PYTHONDONTWRITEBYTECODE
# honcho gives every process a PORT of its own; this is the one that was asked for.
export OFFHOLD_PORT := $(PORT)

.DEFAULT_GOAL := help
.PHONY: help run test all-tests test-models test-faults soak lint audit lock bench bench-index bench-ledger bench-load bench-pages bench-search simulate-savings clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
	    || sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1    \2/p' Makefile

run: $(VENV)/serve.stamp ## start everything here and print the addresses to open (ARTICLES=path imports yours)
	@exec python -m ivr.stores run -- flask --app ivr.app release $(if $(ARTICLES),--articles "$(ARTICLES)")
	@exec python -m ivr.foreground -e /dev/null -f Procfile.dev start

test: $(VENV)/test.stamp ## lint, types and all tests (installs Chromium and nginx as root on Debian and Ubuntu)
	@sh tests/nginx.sh && CHROMIUM="$$(sh tests/chromium.sh)" && export CHROMIUM \
	    && exec $(MAKE) --no-print-directory -j2 all-tests lint

all-tests:
	@exec python -m pytest -q -n 3 --dist worksteal $(TESTS)

test-models: .venv-models/stamp ## the tests that need torch and sentence-transformers
	@exec .venv-models/bin/python -m pytest -q tests/models_torch

test-faults: $(VENV)/test.stamp ## ten minutes of kills, cuts and a full disk while calls run (SEED=1 or 1-20, MINUTES=10)
	@exec python -m tests.faults.rampage --seeds "$(or $(SEED),1)" --minutes "$(or $(MINUTES),10)"

soak: $(VENV)/test.stamp ## the same for as long as told, with a report (MINUTES=60)
	@exec python -m tests.faults.rampage --seeds "$(or $(SEED),1)" --minutes "$(or $(MINUTES),60)" --report

lint: $(VENV)/test.stamp ## ruff and mypy
	@ruff check . && ruff format --check . && mypy

audit: $(VENV)/test.stamp ## known vulnerabilities of the locked packages (asks a service on the Internet)
	@exec requirements/audit.sh

lock: $(VENV)/test.stamp ## make requirements/*.lock from requirements.txt
	@exec requirements/lock.sh

bench: $(VENV)/test.stamp ## webhooks a second, and how long they take
	@exec python -m bench $(if $(ARTICLES),--articles "$(ARTICLES)")

bench-index: $(VENV)/test.stamp ## the search index up to a million passages (SETS=folder of judged sets)
	@exec python -m bench.index $(if $(SETS),"$(SETS)") $(if $(SIZES),--sizes "$(SIZES)")

bench-ledger: $(VENV)/test.stamp ## the settlement of a million calls, and a statement of them (CALLS=number)
	@exec python -m bench.ledger $(CALLS)

bench-load: $(VENV)/test.stamp ## a day, 10,000 callers at once, and a storm (CALLS=a call centre's record, PICTURE=load.svg)
	@exec python -m bench.load $(if $(CALLS),--calls "$(CALLS)") --picture "$(or $(PICTURE),load.svg)"

bench-pages: $(VENV)/test.stamp ## every page of the console beside a million facts (FACTS=number; filled once)
	@exec python -m bench.pages $(if $(FACTS),--facts "$(FACTS)")

bench-search: $(VENV)/test.stamp ## the search on judged sets beside plain ways (SETS=folder of sets)
	@test -d "$(SETS)" || { echo "$(SETS) is no folder: SETS=folder of judged sets" >&2; exit 1; }
	@exec python -m search evaluate $(sort $(patsubst %/,%,$(wildcard $(SETS)/*/)))

simulate-savings: $(VENV)/test.stamp ## what the savings' estimates are worth: months of callers with known truth
	@exec python -m bench.savings

clean: ## remove the environments; the data in DATA_DIR stays
	rm -rf $(VENV) .venv-models

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	    || { echo "Offhold needs Python 3.11 or newer: $(if $(filter Darwin,$(shell uname)),brew install python,sudo apt install python3.11 python3.11-venv) (or PYTHON=path make ...)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	    || { echo "Python's venv is missing: sudo apt install $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/serve.stamp: requirements/serve.lock | $(VENV)/bin/python
	@echo "Installing the packages of requirements/serve.lock into $(VENV)"
	@$(INSTALL) --requirement requirements/serve.lock
	@touch $@

$(VENV)/test.stamp: requirements/test.lock | $(VENV)/bin/python
	@echo "Installing the packages of requirements/test.lock into $(VENV)"
	@$(INSTALL) --requirement requirements/test.lock
	@touch $@ $(VENV)/serve.stamp

# Not locked as a whole: torch's builds differ by index. What `make test` has is the same here.
.venv-models/stamp: requirements/test.lock requirements.txt | $(VENV)/bin/python
	@echo "Installing torch and sentence-transformers into .venv-models"
	@python -m venv --clear .venv-models
	@.venv-models/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes \
	    --only-binary :all: --requirement requirements/test.lock
	@.venv-models/bin/python -m pip --disable-pip-version-check install --quiet --requirement requirements.txt
	@touch $@
