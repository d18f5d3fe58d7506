# Every target sets itself up: a fresh clone needs Python 3.11 with venv, git and make, nothing else.
# PYTHON names the interpreter that .venv is built with: make repro PYTHON=python3.12

SHELL := /bin/bash
PYTHON ?= python3
export PYTHON
# what the user's shell may hold for other projects
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PIP_USER := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
IN_VENV := source .venv/bin/activate &&

.DEFAULT_GOAL := help
.PHONY: help setup repro verify push pull test smoke places check format results table data-versions lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

setup: ## build .venv from requirements.lock, if it is missing or the lock file changed
	@tools/setup

repro: setup ## run the pipeline, then print the accuracy table and where the report is
	@$(IN_VENV) dvc repro
	@$(IN_VENV) python tools/made_on.py
	@$(IN_VENV) debugset show

verify: setup ## run the pipeline from nothing in a scratch copy; is every out the committed one, to the last bit?
	@$(IN_VENV) debugset verify

push: setup ## send data, models and the records of runs to the DVC remote (docs/sharing.md)
	@$(IN_VENV) dvc push --run-cache

pull: setup ## fetch this version's data, models and the records of runs from the DVC remote
	@$(IN_VENV) dvc pull --run-cache

test: setup ## run every test, the smoke run by real DVC included; two workers, a thread each
	@tools/test_packages
	@$(IN_VENV) OMP_NUM_THREADS=1 python -m pytest -q -ra -n 2

smoke: setup ## run the pipeline with profiles/smoke.yaml in a scratch clone and check what it made
	@$(IN_VENV) python -m pytest -q -ra tests/pipeline/test_smoke.py

places: ## try both commands of the README in a clone, a worktree, a shallow clone and an archive (CONTRIBUTING.md)
	@tools/places

check: setup ## style, types and the order of the rooms; whether dvc.lock and docs/results are current
	@$(IN_VENV) ruff check .
	@$(IN_VENV) ruff format --check .
	@$(IN_VENV) mypy
	@$(IN_VENV) PYTHONPATH=src:. lint-imports --no-logo --no-cache
	@$(IN_VENV) python -m tools.current

format: setup ## let ruff correct what it can
	@$(IN_VENV) ruff check --fix .
	@$(IN_VENV) ruff format .

results: setup ## make all of docs/results anew, with the tables and pictures in README and docs; about an hour
	@$(IN_VENV) python -m tools.results

table: setup ## of these only the README's table, five training runs a variant
	@$(IN_VENV) python -m tools.results table

data-versions: setup ## two snapshots in a scratch clone: run, tag, compare, go back; writes docs/results/data-versions
	@$(IN_VENV) python -m tools.results data-versions

lock: setup ## resolve pyproject.toml anew and write the lock files
	@$(IN_VENV) python tools/lock.py

clean: ## remove .venv and the tools' caches; data, models and DVC's cache stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
