# Everything a clone needs, from one command. No target writes outside the clone, except that root's set-up
# installs Debian packages, and that root's clone in a closed folder keeps its database under /var/lib.
SHELL := /bin/sh
PYTHON ?= python3
BOOTSTRAP := $(PYTHON) -m smartpush.machine.bootstrap
VENV := .venv/bin/python
PORT ?= 8800
WEB_WORKERS ?= 2
TEST_WORKERS ?= 2
ARGS ?=
ONLY ?=
SCALE ?= 1
RELEASE ?=
INTO ?=
UPGRADE ?=
export ONLY SCALE

.DEFAULT_GOAL := setup
.PHONY: setup requirements installed migrate demo run worker dev test test-machines check quick bench pack notices stop

setup: ## what working on the code needs, and a development .env where SMARTPUSH_ENV does not say otherwise
	@$(BOOTSTRAP) setup --for dev

requirements: setup ## pin requirements*.txt anew from pyproject.toml; UPGRADE="django gunicorn", or UPGRADE=all
	@$(BOOTSTRAP) requirements --upgrade "$(UPGRADE)"

# What production uses: nothing here writes a .env, and wrong settings stop it before anything is changed.
installed:
	@$(BOOTSTRAP) install
	@$(VENV) -m smartpush.common.startup

migrate: installed ## the database, brought to this version
	@$(VENV) manage.py migrate --noinput -v 0

demo: ## the whole channel with a demo site, until Ctrl-C; DEMO_EXIT=1 ends after the report
	@$(BOOTSTRAP) setup
	@$(VENV) manage.py migrate --noinput -v 0
	@$(BOOTSTRAP) static
	@exec $(VENV) manage.py demo

run: migrate ## the web server on 127.0.0.1:8800
	@$(BOOTSTRAP) static
	@mkdir -p var/run
	@exec $(VENV) -m gunicorn smartpush.wsgi:application --bind 127.0.0.1:$(PORT) --workers $(WEB_WORKERS) \
		--worker-class gthread --threads 8 --pid var/run/web.pid --no-control-socket --forwarder-headers ''

dev: setup ## web, worker and push service that restart, and bundles that are built, when a file changes
	@$(VENV) manage.py migrate --noinput -v 0
	@exec $(VENV) manage.py dev

worker: migrate ## campaigns and deliveries
	@exec $(VENV) manage.py worker

test: ## the whole suite, real browsers included; ARGS="tests/devices -k token" for a part
	@$(BOOTSTRAP) setup --for test
	@exec $(VENV) -m pytest -n $(TEST_WORKERS) --dist worksteal --durations 15 $(ARGS)

test-machines: ## as root: the demo and the suite on clean Debian machines; RELEASE=trixie for one, ARGS as above, INTO=folder
	@exec $(PYTHON) -m tests.machines $(if $(RELEASE),--release $(RELEASE)) $(if $(INTO),--into "$(INTO)") \
		$(if $(ARGS),--args "$(ARGS)")

check: setup ## style, types, layers, migrations, settings, Markdown, commit subjects
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .
	$(VENV) -m mypy .
	$(VENV) -m tests.checks.layers
	$(VENV) manage.py makemigrations --check --dry-run
	$(VENV) manage.py check
	$(VENV) -m tests.checks.markdown
	$(VENV) -m tests.checks.tables
	$(VENV) -m tests.checks.commits

quick: setup ## the tests of what differs from main, no browsers, at most two minutes; says which and why
	@exec $(VENV) -m tests.checks.quick

bench: ## figures beside their peers; ONLY=delivery SCALE=0.1
	@$(BOOTSTRAP) setup --for bench
	@exec $(VENV) -m tests.benchmarks

pack: ## the npm package smartpush-web, into var/npm/
	@$(BOOTSTRAP) setup --for pack
	@$(BOOTSTRAP) pack

notices: ## the licences of all packages that production carries; INTO=file writes them
	@$(BOOTSTRAP) setup
	@$(BOOTSTRAP) notices $(if $(INTO),--into "$(INTO)")

stop: ## what this clone has started, its database included
	@$(BOOTSTRAP) stop
