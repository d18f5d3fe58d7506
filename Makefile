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
.PHONY: help setup repro push pull test smoke check format table data-versions lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

setup: ## build .venv from requirements.lock, if it is missing or the lock file changed
	@tools/setup

repro: setup ## run the pipeline, then print the accuracy table and where the report is
	@$(IN_VENV) dvc repro
	@$(IN_VENV) debugset show

push: setup ## send data, models and the records of runs to the DVC remote (docs/sharing.md)
	@$(IN_VENV) dvc push --run-cache

pull: setup ## fetch this version's data, models and the records of runs from the DVC remote
	@$(IN_VENV) dvc pull --run-cache

test: setup ## run every test, the smoke run by real DVC included
	@tools/browser
	@$(IN_VENV) python -m pytest -q -ra

smoke: setup ## run the pipeline with profiles/smoke.yaml in a scratch clone and check what it made
	@$(IN_VENV) python -m pytest -q -ra tests/pipeline/test_smoke.py

check: setup ## style and types: ruff, mypy; whether dvc.lock belongs to code and parameters
	@$(IN_VENV) ruff check .
	@$(IN_VENV) ruff format --check .
	@$(IN_VENV) mypy
	@$(IN_VENV) python tools/lock_is_current.py

format: setup ## let ruff correct what it can
	@$(IN_VENV) ruff check --fix .
	@$(IN_VENV) ruff format .

table: setup ## five seeds a variant in a scratch clone; writes docs/results/table.json
	@$(IN_VENV) python -m benchmarks.table

data-versions: setup ## two snapshots in a scratch clone: run, tag, compare, go back; writes docs/results/data-versions
	@$(IN_VENV) tools/data_versions

lock: setup ## resolve pyproject.toml anew and write the lock files
	@$(IN_VENV) python tools/lock.py

clean: ## remove .venv and the tools' caches; data, models and DVC's cache stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
