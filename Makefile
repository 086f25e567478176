# AISTER. Two commands: `make run` shows it trading on real market data, `make test` proves it.
# Everything here works with GNU make 3.81 and a POSIX shell; set-up happens by itself, into .venv only.

SHELL = /bin/sh
.DEFAULT_GOAL := help

BIN       := .venv/bin
HERE      := $(shell pwd | cksum | cut -d ' ' -f 1)
INSTALLED := .venv/.installed-$(HERE)
WORKERS   ?= 2
RUN_ARGS  ?= --feed sample --speed 20000 --until-end --report build/first-light.html --json build/first-light.json

run: $(INSTALLED) ## watch the trader work on the packaged market data; leaves build/first-light.html
	@mkdir -p build
	$(BIN)/aister run $(RUN_ARGS)

test: $(INSTALLED) ## prove it: the whole test suite, at most 15 minutes on two cores
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(TEST_ARGS)

check: $(INSTALLED) ## style, types, import contracts, house rules, published figures; at most 8 minutes
	$(BIN)/python -m checks

campaign: $(INSTALLED) ## the long measurements; writes docs/results/NAME.json
	$(BIN)/python -m checks.campaign $(CAMPAIGN_ARGS)

bench: $(INSTALLED) ## this engine beside its peers; or one bench of our own: make bench BENCH_ARGS="engine --quick"
	@if [ -n "$(BENCH_ARGS)" ]; then $(BIN)/aister bench $(BENCH_ARGS); else $(BIN)/python -m bench.compare; fi

oracles: $(INSTALLED) ## other engines' trades of one seeded month; writes tests/oracles/goldens.json
	$(BIN)/python -m bench.oracles.make

fmt: $(INSTALLED) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(INSTALLED) ## renew constraints.txt and requirements.lock from pyproject.toml (LOCK_ARGS=--upgrade for newer versions)
	$(BIN)/python -m make.lock $(LOCK_ARGS)

fresh: $(INSTALLED) ## do what a newcomer does: clone, empty home and caches, make run, make test; says how long each took
	$(BIN)/python -m make.fresh

clean: ## remove what was built and what tools remember
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -path ./.venv -prune -o -type d -name __pycache__ -exec rm -rf {} +

distclean: clean ## the same, and the environment
	rm -rf .venv

setup: $(INSTALLED) ## only the set-up, which the others do by themselves
	@echo "AISTER is set up in .venv"

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# The first Python that is new enough becomes $$python. PYTHON=/path/to/python3 overrides the search.
PYTHON ?= python3
define find-python
python=; for p in "$(PYTHON)" python3.13 python3.12 python3.11 python3.14; do \
  if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python=$$p; break; fi; \
done; \
if [ -z "$$python" ]; then \
  echo "AISTER needs Python 3.11 or newer: install it (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python) or say make PYTHON=/path/to/python3." >&2; exit 2; \
fi;
endef

$(INSTALLED): pyproject.toml constraints.txt make/install.py
	@$(find-python) "$$python" -m make.install
	@touch $(INSTALLED)

.PHONY: setup run test check campaign bench oracles fmt lock fresh clean distclean help
