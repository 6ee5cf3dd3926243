# `make demo` and `make test` need python3 (3.11 or newer) and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(abspath $(VENV))/bin
WHEEL_VENV = build/wheel-venv

.PHONY: demo test test-all check compiled compiled-chains compiled-tomtom docs wheel clean

# torch first: from a range pip would take another. PyPI's build for Linux comes with gigabytes of CUDA; where there is no
# GPU, or with TORCH=cpu, the build for CPUs is taken, which lies where pip finds wheels or else in PyTorch's own index.
TORCH ?= $(shell command -v nvidia-smi >/dev/null 2>&1 && echo cuda || echo cpu)
PINNED = $(shell sed -n 's/^torch==//p' constraints.txt)
OWN_INDEX = if [ "$(TORCH)" = cpu ] && [ "$$(uname)" = Linux ] && \
	! $(BIN)/pip index versions torch 2>/dev/null | grep -qF "$(PINNED)+cpu"; \
	then echo "--extra-index-url https://download.pytorch.org/whl/cpu"; fi
$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt $$($(OWN_INDEX)) torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(VENV)/ready
	PATH="$(BIN):$$PATH" sh workflows/demo.sh demo

# As many tests at once as there are CPUs; neighbours, which share what a module makes, stay together.
PYTEST = $(BIN)/pytest --numprocesses=logical --maxprocesses=8 --dist=worksteal

test: check compiled docs
	$(PYTEST)

# Those marked slow too.
test-all: check compiled docs
	$(PYTEST) -m "slow or not slow"

check: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Once, before each process of the tests would; the code stays beside the package.
compiled: compiled-chains compiled-tomtom

compiled-chains compiled-tomtom: $(VENV)/ready
	$(BIN)/python -m tests.compiled $(@:compiled-%=%)

# The manual, in build/docs.
docs: $(VENV)/ready
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -d build/doctrees docs build/docs

# Source and wheel, and the wheel by itself, in an environment that has its dependencies (lent by the other one) but not
# this folder.
wheel: $(VENV)/ready
	rm -rf dist $(WHEEL_VENV)
	$(BIN)/python -m build --quiet --outdir dist .
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/pip install --quiet --no-deps --no-index dist/*.whl
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > \
		"$$($(WHEEL_VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/lent.pth"
	cd $(WHEEL_VENV) && sh "$(CURDIR)/workflows/try_wheel.sh" bin/maxent

clean:
	rm -rf $(VENV) .venv-snakemake demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
