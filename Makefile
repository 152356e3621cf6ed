# Everything starts here. Needs Linux, make and Python 3.11, 3.12 or 3.13; all the rest is installed into .venv.
#   make demo        install the core (no torch) and turn TOPIC into a run directory with a report page
#   make test        install everything and run the tests, doctests included
#   make help        the other targets

TOPIC ?= a futuristic spaceship
ARGS ?=
WORKERS ?= auto
VENV := .venv
BIN := $(VENV)/bin

export TOPIC
export UV_PYTHON_DOWNLOADS := never
export UV_HTTP_TIMEOUT ?= 300

# The first interpreter that starts and is in range (a pyenv shim may be on the path and not start).
IN_RANGE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
ifndef PYTHON
PYTHON := $(shell for p in python3 python3.11 python3.12 python3.13 python; do \
	$$p -c '$(IN_RANGE)' >/dev/null 2>&1 && { command -v $$p; break; }; done)
endif

UV_INSTALL := $(BIN)/uv pip install --python $(BIN)/python --require-hashes --build-constraints requirements-build.lock
EDITABLE := $(BIN)/uv pip install --quiet --python $(BIN)/python --offline --no-deps --no-build-isolation --editable .
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

.PHONY: help demo train-demo test test-slow faults audit lint format bench docs lock clean
.DELETE_ON_ERROR:

help:
	@echo "make demo       install the core, make a video of TOPIC='$(TOPIC)' (ARGS: more for the command line)"
	@echo "make train-demo train genre and surprise on synthetic data from nothing, then make a video of TOPIC with both (ARGS: more for both trainings, RUN_ARGS: for the run)"
	@echo "make test       install everything, run the tests (WORKERS=$(WORKERS); ARGS: more for pytest)"
	@echo "make test-slow  the tests marked slow"
	@echo "make faults     the long campaigns of damaged and hostile files (ROUNDS=$(ROUNDS) of each reader of text)"
	@echo "make audit      known weaknesses of the locked packages, and everybody's licence"
	@echo "make lint       ruff and mypy"
	@echo "make format     let ruff sort imports, mend what it can and lay the code out"
	@echo "make bench      the benchmarks"
	@echo "make docs       the documentation in site/ (a warning is an error)"
	@echo "make lock       resolve the locks again (UPGRADE=--upgrade for newer versions)"
	@echo "make clean      remove .venv, caches and builds; runs are kept"

demo: $(VENV)/core.stamp
	@$(BIN)/spectrogrand run topic="$$TOPIC" $(ARGS)

# Everything it makes lies in outputs/train-demo; the same command goes on where it was stopped.
TRAINED := outputs/train-demo
train-demo: $(VENV)/all.stamp
	$(BIN)/python train/genre.py experiment=demo output=$(TRAINED) $(ARGS)
	$(BIN)/python train/surprise.py experiment=demo output=$(TRAINED) $(ARGS)
	$(BIN)/python train/export.py $(TRAINED)/demo-genre $(TRAINED)/weights
	$(BIN)/python train/export.py $(TRAINED)/demo-surprise $(TRAINED)/weights
	@$(BIN)/spectrogrand run topic="$$TOPIC" genre=timm_genre "cover_scorers=[aesthetics,timm_surprise]" \
		weights=$(TRAINED)/weights $(RUN_ARGS)

test: $(VENV)/all.stamp
	$(PYTEST) $(ARGS)

test-slow: $(VENV)/all.stamp
	$(PYTEST) -m slow $(ARGS)

# Readers of text and headers have ROUNDS rounds each, those of media a fiftieth; 200,000 make a million executions.
ROUNDS ?= 200000
faults: $(VENV)/all.stamp
	FAULTS_ROUNDS=$(ROUNDS) $(PYTEST) -m "slow or not slow" tests/test_fuzz.py tests/test_hostile_weights.py tests/test_records.py \
		tests/test_index_damage.py tests/test_store_heals.py tests/test_store.py $(ARGS)

# pip-audit asks a database of the web; where that cannot be reached the locks' pins are all that is known, and it says so.
audit: $(VENV)/all.stamp
	@$(BIN)/pip-audit --requirement requirements.lock --no-deps --disable-pip --progress-spinner off $(ARGS) \
		|| echo "make audit: pip-audit found something, or could not reach its data; the lines above say which" >&2
	@{ sed -n 1,4p docs/licences.md; $(BIN)/pip-licenses --from mixed --format markdown --no-version --order license; } \
		> docs/licences.new && mv docs/licences.new docs/licences.md
	@echo "docs/licences.md lists every installed package by licence"

lint: $(VENV)/all.stamp
	$(BIN)/ruff check
	$(BIN)/mypy

format: $(VENV)/all.stamp
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

bench: $(VENV)/all.stamp
	$(BIN)/python -m benchmarks $(ARGS)

docs: $(VENV)/all.stamp
	$(BIN)/sphinx-build -W --keep-going -q -b html docs site

# pip only fetches uv and the build backend, both pinned by hash; uv installs the rest. demo and test share one
# environment in either order: the locks agree on every pin and nothing is ever uninstalled.
$(VENV)/build.stamp: requirements-build.lock
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 with venv found." \
		"Install one (Debian and Ubuntu: apt-get install python3 python3-venv) or say make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c '$(IN_RANGE)' || { echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13 with venv and pip." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
	@touch $@

$(VENV)/core.stamp: $(VENV)/build.stamp requirements-core.lock pyproject.toml
	$(UV_INSTALL) -r requirements-core.lock
	$(EDITABLE)
	@touch $@

$(VENV)/all.stamp: $(VENV)/build.stamp requirements.lock pyproject.toml
	$(UV_INSTALL) -r requirements.lock
	$(EDITABLE)
	@touch $@ $(VENV)/core.stamp

# Locks hold for every supported Python and platform (markers inside) and name no index: whichever is configured serves.
# The full lock leads; the other two take its versions.
UV_LOCK := $(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	--no-header --no-annotate $(UPGRADE)

lock: $(VENV)/build.stamp
	$(UV_LOCK) --all-extras pyproject.toml --output-file requirements.lock
	$(UV_LOCK) pyproject.toml --constraints requirements.lock --output-file requirements-core.lock
	printf 'uv\nhatchling\nsetuptools<81\n' | $(UV_LOCK) - --constraints requirements.lock --output-file requirements-build.lock

clean:
	rm -rf $(VENV) build dist site .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
