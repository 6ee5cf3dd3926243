# `make demo` and `make test` need python3 (3.11 or newer) and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(abspath $(VENV))/bin
WHEEL_VENV = build/wheel-venv

.PHONY: demo test test-all check wheel clean

# torch first: from a range pip would take a build with gigabytes of CUDA.
$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(VENV)/ready
	PATH="$(BIN):$$PATH" sh workflows/demo.sh demo

# As many tests at once as there are CPUs; neighbours, which share what a module makes, stay together.
PYTEST = $(BIN)/pytest --numprocesses=logical --maxprocesses=8 --dist=worksteal

test: check
	$(PYTEST)

# Those marked slow too.
test-all: check
	$(PYTEST) -m "slow or not slow"

check: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The wheel by itself, in an environment that has its dependencies (lent by the other one) but not this folder.
wheel: $(VENV)/ready
	rm -rf build dist
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .
	$(PYTHON) -m venv $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/pip install --quiet --no-deps --no-index dist/*.whl
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > \
		"$$($(WHEEL_VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/lent.pth"
	cd $(WHEEL_VENV) && sh "$(CURDIR)/workflows/try_wheel.sh" bin/maxent

clean:
	rm -rf $(VENV) .venv-snakemake demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
