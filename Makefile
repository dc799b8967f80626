# Each target sets itself up. Nothing here but installation and the commands themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SNAKEMAKE := . $(BIN)/activate && snakemake
CONFIG ?= config/config.yaml

.PHONY: run test lint bench soak report registry schemas pins clean

run: $(VENV)/.run
	$(SNAKEMAKE) --configfile $(CONFIG)

# In two processes, one of which mostly waits for a cluster; whole groups of tests in each, see tests/conftest.py.
test: $(VENV)/.dev
	. $(BIN)/activate && pytest -n 2 --dist loadscope --no-loadscope-reorder

lint: $(VENV)/.dev
	. $(BIN)/activate && ruff check . && ruff format --check . && snakefmt --check workflow
	$(SNAKEMAKE) --lint
	. $(BIN)/activate && pyright && lint-imports

# All of them, or `make bench BENCH="imports registry"`.
bench: $(VENV)/.dev
	. $(BIN)/activate && python -m benchmarks $(BENCH) && python -m benchmarks.tables

# Hundreds of kills; minutes to hours.
soak: $(VENV)/.dev
	. $(BIN)/activate && SEMASIA_KILLS=500 SEMASIA_SOAK_RESULT=benchmarks/results/soak.json \
	  pytest -s --timeout 7200 tests/unit/extraction/test_kills.py && python -m benchmarks.tables

report: $(VENV)/.run
	$(SNAKEMAKE) --configfile $(CONFIG) --report results/report.html

registry: $(VENV)/.run
	$(SNAKEMAKE) --forcerun build_registry build_contrasts -- registry/registry.parquet registry/contrasts.parquet

schemas: $(VENV)/.run
	. $(BIN)/activate && python workflow/schemas/generate.py

pins: $(VENV)/.dev
	. $(BIN)/activate && python envs/pins.py
	$(BIN)/pip freeze --exclude-editable --exclude torch | grep -v -i -E '^(nvidia|triton|cuda)' > envs/constraints.txt

clean:
	rm -rf $(VENV) .snakemake results/*/ results/report.html

# A stamp per set of extras, made again when the pins change.
$(VENV)/.run: pyproject.toml envs/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint envs/constraints.txt --editable '.[demo]'
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/pip install --quiet --constraint envs/constraints.txt --editable '.[demo,dev]'
	touch $@
