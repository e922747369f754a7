# The front door: every target works on a fresh clone and prepares what it needs.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

BIN := .venv/bin
STAMP := .venv/.installed

# The interpreter that .venv is made from; empty means the first of python3, python3.13, python3.12, python3.11 that will do.
PYTHON ?=
# What `make lock` hands on, as in LOCK_FLAGS=--upgrade.
LOCK_FLAGS ?=
# What `make bench` measures; empty means everything, which takes half an hour.
SECTIONS ?=
# How long `make fuzz` runs.
FUZZ_SECONDS ?= 60

.PHONY: help setup tools test-tools build check test lint format bench clean all lock probe fuzz wheels deploy demo demo-outage test-grafana

help: # Not listed: it is what prints the list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) tools ## create .venv from the lock, get promtool, prometheus, amtool and alertmanager

build: setup ## write rules, dashboards, tests, routes and runbook blocks from slos/
	@$(BIN)/sloforge build

check: setup ## check everything that is generated with promtool, amtool and our own rules
	@$(BIN)/sloforge check

test: setup test-tools ## run all tests, the generated ones through promtool
	@$(BIN)/pytest -n 2 -q --dist loadgroup

lint: $(STAMP) ## check the Python code: ruff and mypy
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/mypy --no-error-summary

format: $(STAMP) ## format the Python code and apply the safe fixes
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

deploy: setup ## show the plan for deploy.yaml, ask, apply, verify
	@$(BIN)/sloforge deploy

demo: setup ## the whole system on this machine: real servers, a month of history, b breaks it
	@$(BIN)/sloforge demo

demo-outage: setup ## the same, playing an outage by itself; about seven minutes
	@$(BIN)/sloforge demo --script outage

test-grafana: setup test-tools ## run the Grafana tests against a real one: GRAFANA_URL, GRAFANA_TOKEN
	@test -n "$$GRAFANA_URL" && test -n "$$GRAFANA_TOKEN" || { echo 'set GRAFANA_URL and GRAFANA_TOKEN' >&2; exit 1; }
	@$(BIN)/pytest -q tests/deploy/test_grafana_target.py

bench: setup test-tools ## measure cost and speed, write docs/benchmarks.md; SECTIONS=... for some
	@$(BIN)/python bench/run.py $(SECTIONS)

probe: $(STAMP) ## compile the native slo-probe for this machine
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-probe.lock
	@$(BIN)/python generators/probe/compiler.py

# With libFuzzer where clang has it, else with our own mutations: zig has neither libFuzzer nor the sanitizers.
fuzz: $(STAMP) ## fuzz the native slo-probe for a minute, under ASan and UBSan
	@$(BIN)/python generators/probe/fuzz.py $(FUZZ_SECONDS)

wheels: probe ## build the wheels of all platforms into dist/, and test what is in them
	@for target in x86_64-linux-musl aarch64-linux-musl x86_64-macos aarch64-macos none; do \
		SLO_PROBE_TARGET=$$target $(BIN)/python -m hatchling build -t wheel || exit 1; done
	@$(BIN)/pytest -q tests/probe/test_probe_wheel.py tests/probe/test_probe_wheels.py

clean: ## remove .venv, caches and built distributions
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

all: setup test-tools ## what must hold before a change goes in: lint, build --check, check, test
	@echo '== lint'
	@$(MAKE) lint
	@echo '== build --check'
	@$(BIN)/sloforge build --check
	@echo '== check'
	@$(MAKE) check
	@echo '== test'
	@$(MAKE) test

lock: $(STAMP) ## pin what pyproject.toml asks for, with hashes, in requirements.lock
	@.ci/lock $(LOCK_FLAGS)

# After .venv and not beside it: both may call apt.
tools: | $(STAMP)
	@.ci/tools

# After tools, for the same reason.
test-tools: | tools
	@.ci/tools tests

$(STAMP): pyproject.toml requirements.lock
	@PYTHON='$(PYTHON)' .ci/venv
	@touch $@
