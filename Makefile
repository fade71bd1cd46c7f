# Needs Python 3.13 and make; everything else is installed under .environments and .local.
PYTHON ?= python3.13
WORKERS ?= 2

DEV := .environments/dev/bin/python
SAM := .environments/sam/bin/python -m samcli
STEP := $(DEV) -m local.steps
PYTEST := $(DEV) -m pytest
COMPILE := env CUSTOM_COMPILE_COMMAND="make lock" $(DEV) -m piptools compile --quiet --generate-hashes --strip-extras \
	--allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(if $(UPGRADE),--upgrade)

export SAM_CLI_TELEMETRY := 0
export AWS_DEFAULT_REGION ?= ap-south-1

.DEFAULT_GOAL := help
.PHONY: help run demo test e2e faults bench check lint format lock clean dev all-environments

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: all-environments ## RMS on a local AWS with simulated partners, until Ctrl-C
	@$(DEV) -m local.run

demo: all-environments ## the flows end to end on that stack, with their timelines; then stop
	@$(DEV) -m local.run --demo

test: dev ## unit, integration, contract, fault and infrastructure tests
	@$(STEP) "Tests (unit, integration, contract, faults, infrastructure)" \
		$(PYTEST) tests --ignore=tests/e2e --numprocesses=$(WORKERS) --dist=worksteal --quiet

e2e: all-environments ## tests on the deployed local stack, over real HTTP
	@$(STEP) "Tests on the deployed local stack" $(PYTEST) tests/e2e --verbose --capture=no

faults: dev ## every call of the flow x every fault, then the table of what was lost or doubled
	@$(STEP) "Fault table" $(DEV) -m tests.faults.table

bench: dev ## AWS calls, read and write units, CPU and import time per flow
	@$(STEP) "Bench" $(DEV) -m bench

lint: all-environments
	@$(STEP) "Lint (ruff check)" $(DEV) -m ruff check .
	@$(STEP) "Format (ruff format --check)" $(DEV) -m ruff format --check .
	@$(STEP) "Types (mypy)" $(DEV) -m mypy
	@$(STEP) "Template (sam validate --lint)" $(SAM) validate --lint

check: lint test ## lint, format, types, template and all tests but e2e

format: dev ## lay out the code and apply the safe fixes
	@$(DEV) -m ruff format .
	@$(DEV) -m ruff check --fix .

lock: dev ## compile the hashed requirements again (UPGRADE=1: with the newest versions)
	@$(STEP) "Locking layers/dependencies" $(COMPILE) --output-file=layers/dependencies/requirements.txt layers/rms/pyproject.toml
	@$(STEP) "Locking dev" $(COMPILE) --output-file=requirements/dev.txt requirements/dev.in
	@$(STEP) "Locking sam" $(COMPILE) --output-file=requirements/sam.txt requirements/sam.in
	@$(STEP) "Locking local-aws" $(COMPILE) --output-file=requirements/local-aws.txt requirements/local-aws.in

clean: ## remove everything that was installed, built or cached here
	rm -rf .environments .local .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name '*.egg-info' -type d -prune -exec rm -rf {} +

dev:
	@$(PYTHON) -m local.environments dev

all-environments:
	@$(PYTHON) -m local.environments dev sam local-aws
