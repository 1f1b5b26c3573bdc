# Every target makes what it needs; `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip
UV_VERSION := 0.13.9
PYTEST_WORKERS ?= auto

.PHONY: help demo run test test-openstack lint format bench soak lock catalogues clean
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV)/run: $(VENV)/uv requirements.lock pyproject.toml
	@$(UV) install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.lock
	@$(UV) install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/chromium: $(VENV)/dev
	@tests/install-chromium
	@touch $@

$(VENV)/mail: $(VENV)/dev
	@tests/install-mail
	@touch $@

demo: $(VENV)/run ## play both sides in the browser: desk, database and a stand-in for Telegram
	@$(BIN)/kezekshi demo

run: $(VENV)/run ## run the desk against the real Telegram, settings from .env
	@$(BIN)/kezekshi run

test: $(VENV)/dev $(VENV)/chromium $(VENV)/mail ## install what the tests need and run all of them
	@$(BIN)/pytest -n $(PYTEST_WORKERS) --dist worksteal

test-openstack: $(VENV)/dev ## adapter and requests against a genuine OpenStack on loopback, which is started first
	@tests/openstack/up.sh
	@KEZEKSHI_TEST_CLOUD=openstack $(BIN)/pytest tests/conformance tests/e2e/test_cloud.py --verbose --durations 15 --durations-min 1

lint: $(VENV)/dev ## ruff, mypy, import contract
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/dev ## put the code into shape
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: $(VENV)/dev $(VENV)/mail ## measure, beside a floor in the same run; tables for docs/performance.md
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench --sla
	@$(BIN)/python -m tests.bench --mail
	@$(BIN)/python -m tests.bench --cloud

soak: $(VENV)/dev $(VENV)/mail ## the long tests at full size
	@KEZEKSHI_SOAK=1 $(BIN)/pytest -n $(PYTEST_WORKERS) --dist worksteal -m soak --timeout 7200

lock: $(VENV)/uv ## renew the lock files
	@$(UV) compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group build -o requirements.lock
	@$(UV) compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

catalogues: $(VENV)/dev ## collect the texts of the code into locales/
	@$(BIN)/python locales/collect.py

clean: ## forget the environment and the local database
	rm -rf $(VENV) var
