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
.PHONY: help install install-demo install-test install-lint install-docs install-mysql \
	demo demo-reset test test-long test-sqlite test-postgresql test-mariadb coverage coverage-report lint format docs screenshots \
	requirements bench messages compile-messages dist clean platform-signatures contract

help: ## List what `make` can do here.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z][a-z-]*:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- Environment ------------------------------------------------------------------------------------------------------

install: install-lint install-mysql ## Make .venv with everything: demo, tests, linters.

install-demo: $(STAMP)-demo
install-test: $(STAMP)-test
install-lint: $(STAMP)-lint
install-docs: $(STAMP)-docs

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
	@echo "Installing what the demo needs. The first time this can take two minutes."
	$(PIP_INSTALL) --only-binary :all: -r requirements/demo.txt
	@touch $@

$(STAMP)-test: requirements/test.txt | $(BIN)/python
	@echo "Installing what the tests need. The first time this can take two minutes."
	$(PIP_INSTALL) --only-binary :all: -r requirements/test.txt
	@touch $@ $(STAMP)-demo

$(STAMP)-lint: requirements/lint.txt | $(BIN)/python
	@echo "Installing what the tests and the linters need. The first time this can take two minutes."
	$(PIP_INSTALL) --only-binary :all: -r requirements/lint.txt
	@touch $@ $(STAMP)-test $(STAMP)-demo

$(STAMP)-docs: requirements/docs.txt | $(BIN)/python
	@echo "Installing what the documentation needs. This can take a minute."
	$(PIP_INSTALL) --only-binary :all: -r requirements/docs.txt
	@touch $@

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

coverage: install-test ## Run the suite on SQLite, and fail if less than 95 % of lines and branches are reached.
	rm -rf .cache/coverage
	COVERAGE=1 $(BIN)/python -m tests.run_on_databases --require sqlite
	$(MAKE) --no-print-directory coverage-report

# Of runs with COVERAGE=1, such as CI's.
coverage-report:
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

test-long: install-test install-mysql ## Disturb workers, brokers and platform in large files, and try properties with all examples.
	PYTEST_ADDOPTS="--long" $(BIN)/python -m tests.run_on_databases sqlite postgresql mariadb

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
	DJANGO_SETTINGS_MODULE=demo_lms.settings $(BIN)/python -m program_enrollments.host.openedx.comparison $(PLATFORM)

docs: install-docs ## Build the documentation into build/docs; warnings are errors.
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "Open build/docs/index.html in a browser."

screenshots: install-test ## Take the pictures of the documentation from a demo. Needs Chromium and ChromeDriver.
	$(BIN)/python docs/screenshots.py

messages: install-test ## Collect the texts that people read, for translators: LOCALES="de es". Needs GNU gettext.
	mkdir -p program_enrollments/locale
	cd program_enrollments && env -u DJANGO_SETTINGS_MODULE ../$(BIN)/python -m django makemessages \
		$(foreach locale,$(or $(LOCALES),$(notdir $(wildcard program_enrollments/locale/*))),--locale=$(locale)) \
		--no-location --no-wrap --no-obsolete

compile-messages: install-test ## Compile the translations that there are. Needs GNU gettext; the *.mo files are committed.
	cd program_enrollments && env -u DJANGO_SETTINGS_MODULE ../$(BIN)/python -m django compilemessages

contract: ## Check an installation as a registrar gateway sees it: URL= CLIENT= SECRET= PROGRAM= [COURSE= ROOT= WRITE=1].
	@test -n "$(URL)" -a -n "$(CLIENT)" -a -n "$(SECRET)" -a -n "$(PROGRAM)" || { \
		echo "Name the installation: make contract URL=https://lms.example CLIENT=… SECRET=… PROGRAM=<uuid>"; exit 2; }
	@CONTRACT_SECRET="$(SECRET)" $(PYTHON) -m gateway_contract --url "$(URL)" --client "$(CLIENT)" --program "$(PROGRAM)" \
		$(if $(COURSE),--course "$(COURSE)") $(if $(ROOT),--root "$(ROOT)") $(if $(WRITE),--write)

dist: install-lint ## Build the source archive and the wheel into dist/.
	$(BIN)/python -m build

clean: ## Remove .venv, caches and build products. The demo's data stays (see demo-reset).
	rm -rf $(VENV) build dist ./*.egg-info .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
