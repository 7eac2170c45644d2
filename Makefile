# Everything a developer, a maintainer or CI does with this repository. `make help` lists it.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin

# One stamp for each set of requirements: it is newer than the pins it was installed from, or `make` installs again.
STAMP := $(VENV)/.installed
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install install-demo install-test install-lint install-mysql \
	demo demo-reset test test-long test-sqlite test-postgresql test-mariadb lint format \
	requirements bench schema dist clean platform-signatures

help: ## List what `make` can do here.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z][a-z-]*:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- Environment ------------------------------------------------------------------------------------------------------

install: install-lint install-mysql ## Make .venv with everything: demo, tests, linters.

install-demo: $(STAMP)-demo
install-test: $(STAMP)-test
install-lint: $(STAMP)-lint

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "This needs Python 3.11, and '$(PYTHON)' is not one."; \
		echo "Install it (Debian: apt-get install python3.11 python3.11-venv) or name another: make install PYTHON=/path/to/python3.11"; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments: its ensurepip module is missing."; \
		echo "Install it (Debian: apt-get install python3.11-venv) or name another interpreter: make install PYTHON=/path/to/python3.11"; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)

$(STAMP)-demo: requirements/demo.txt | $(BIN)/python
	$(PIP_INSTALL) --only-binary :all: -r requirements/demo.txt
	@touch $@

$(STAMP)-test: requirements/test.txt | $(BIN)/python
	$(PIP_INSTALL) --only-binary :all: -r requirements/test.txt
	@touch $@ $(STAMP)-demo

$(STAMP)-lint: requirements/lint.txt | $(BIN)/python
	$(PIP_INSTALL) --only-binary :all: -r requirements/lint.txt
	@touch $@ $(STAMP)-test $(STAMP)-demo

# mysqlclient is the one requirement without a binary wheel. A machine that cannot compile it still gets all the rest.
install-mysql: | $(BIN)/python
	@PIP_INSTALL="$(PIP_INSTALL)" STAMP=$(STAMP)-mysql sh requirements/install_mysql.sh $(BIN)/python

requirements: install-lint ## Compile requirements/*.in to pinned *.txt; UPGRADE=1 takes the newest versions. Needs mysqlclient's headers.
	PATH="$(CURDIR)/$(BIN):$$PATH" sh requirements/compile.sh $(if $(UPGRADE),--upgrade)

# --- Demo -------------------------------------------------------------------------------------------------------------

demo: install-demo ## Serve the demo LMS on http://127.0.0.1:8000; PORT= changes it.
	$(BIN)/python demo_lms/manage.py demo --port $(PORT)

demo-reset: install-demo ## Throw the demo's data away and make it anew.
	$(BIN)/python demo_lms/manage.py demo_reset

# --- Tests ------------------------------------------------------------------------------------------------------------

test: install-test install-mysql ## Run the whole suite on SQLite, and on PostgreSQL and MariaDB where they answer.
	$(BIN)/python -m tests.run_on_databases sqlite postgresql mariadb

test-sqlite: install-test ## Run the suite on SQLite only.
	$(BIN)/python -m tests.run_on_databases --require sqlite

test-postgresql: install-test ## Run the suite on PostgreSQL only; POSTGRES_HOST, _PORT, _USER, _PASSWORD say where.
	$(BIN)/python -m tests.run_on_databases --require postgresql

test-mariadb: install-test install-mysql ## Run the suite on MariaDB only; MARIADB_HOST, _PORT, _USER, _PASSWORD say where.
	$(BIN)/python -m tests.run_on_databases --require mariadb

test-long: install-test install-mysql ## Kill workers at random moments, on every database that answers; takes a while.
	PYTEST_ADDOPTS="--long tests/long" $(BIN)/python -m tests.run_on_databases sqlite postgresql mariadb

bench: install-test install-mysql ## Measure speed and print a table; QUICK=1 for a look in under two minutes.
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

# --- Quality ----------------------------------------------------------------------------------------------------------

lint: install-lint ## Check style, types, the order of modules, and that migrations are complete.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DJANGO_SETTINGS_MODULE=test_settings $(BIN)/python -m django makemigrations --check --dry-run --pythonpath .

format: install-lint ## Put the code into the one style.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

platform-signatures: install-demo ## Compare what the Open edX adapter relies on with a checkout: PLATFORM=/path/to/openedx-platform.
	@test -n "$(PLATFORM)" || { echo "Name the checkout: make platform-signatures PLATFORM=/path/to/openedx-platform"; exit 1; }
	$(BIN)/python -m program_enrollments.host.openedx.comparison $(PLATFORM)

schema: install-test ## Write the API's OpenAPI document to docs/openapi.yaml.
	$(BIN)/python demo_lms/manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml \
		--urlconf program_enrollments.rest_api.urls \
		--custom-settings program_enrollments.rest_api.openapi.document.SETTINGS

dist: install-lint ## Build the source archive and the wheel into dist/.
	$(BIN)/python -m build

clean: ## Remove .venv, caches and build products. The demo's data stays (see demo-reset).
	rm -rf $(VENV) build dist ./*.egg-info .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
