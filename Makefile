# Needs Python 3.10 or 3.11; everything else is installed into .venv by the first target that wants it.
PYTHON ?= $(shell for python in python3 python3.11 python3.10; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info[:2] not in ((3, 10), (3, 11)))' 2>/dev/null && echo $$python && break; done)
WEBUI ?= $(HOME)/stable-diffusion-webui
FORGE ?= $(HOME)/stable-diffusion-webui-forge
CAPTION ?= a red circle on the left and a blue square on the right
SEED ?= 1

VENV := .venv
INSTALLED := $(VENV)/.installed
SPREAD := -n auto --dist worksteal

.PHONY: run ui test check test-webui test-forge test-matrix soak fuzz bench-speed bench-webui bench-composition docs screenshots train

run: $(INSTALLED) ## make a picture with the embedded model; CONTROL=canny=FILE or depth=FILE: one that follows that
	@$(VENV)/bin/python -m rpg generate "$(CAPTION)" --seed $(SEED) $(if $(CONTROL),--control "$(CONTROL)")

ui: $(INSTALLED) ## the panel on a page of its own
	@$(VENV)/bin/python -m rpg ui

check: $(INSTALLED) ## lint, format, types
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

test: check ## everything; the webui's part where there is one
	$(VENV)/bin/python -m pytest $(SPREAD)
	@if [ -d "$(WEBUI)" ]; then $(MAKE) --no-print-directory test-webui; \
	else echo "test-webui skipped: no webui in $(WEBUI) (set WEBUI to its folder)"; fi

test-webui: $(INSTALLED) ## start a real webui and drive it
	WEBUI="$(WEBUI)" $(VENV)/bin/python -m pytest $(SPREAD) tests/webui --ignore tests/webui/matrix

test-forge: $(INSTALLED) ## the same with Forge or reForge: make test-forge FORGE=folder
	FORGE="$(FORGE)" $(VENV)/bin/python -m pytest tests/forge

test-matrix: $(INSTALLED) ## many models, samplers, tasks, prompts and options in a real webui; takes long
	WEBUI="$(WEBUI)" $(VENV)/bin/python -m pytest tests/webui/matrix

soak: $(INSTALLED) ## 200 random jobs in a real webui, some broken on purpose
	WEBUI="$(WEBUI)" $(VENV)/bin/python -m pytest -s tests/webui/matrix/soak.py

fuzz: $(INSTALLED) ## property tests with 100,000 examples each
	RPG_FUZZ=1 $(VENV)/bin/python -m pytest -m fuzz -n auto

bench-speed: $(INSTALLED) ## time steps with regions against plain ones; half an hour on an idle CPU
	$(VENV)/bin/python -m tests.benchmarks.speed $(BENCH)

bench-webui: $(INSTALLED) ## the same inside the real webui; BENCH="--regional-prompter FOLDER" compares with that
	WEBUI="$(WEBUI)" $(VENV)/bin/python -m tests.benchmarks.webui $(BENCH)

bench-composition: $(INSTALLED) ## does each object get its own colour, shape and place; an hour on two cores, goes on where interrupted
	$(VENV)/bin/python -m tests.benchmarks.composition $(BENCH)
	$(VENV)/bin/python -m tests.benchmarks.editing

docs: $(INSTALLED) ## docs/troubleshooting.md from the sentences of the program
	$(VENV)/bin/python -m tests.docs.troubleshooting

screenshots: $(INSTALLED) ## the pictures of the panel in docs/, from the page of its own
	$(VENV)/bin/python -m tests.docs.screenshots

train: $(INSTALLED) ## the embedded model from a seed; three hours on two cores, goes on where interrupted
	$(VENV)/bin/python -m rpg.shapes.training $(TRAIN)

$(INSTALLED): requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.10 or 3.11 with venv is needed; name it with make PYTHON=..."; exit 1; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned packages into $(VENV) (once, some minutes)"
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' requirements-dev.txt)"
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
