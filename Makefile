# `make run` and `make test` need Python >= 3.11, git and make; everything else is set up here, once.
#
#   make run [ARGS="--port 9000"]   the register with synthetic data, on http://127.0.0.1:8000
#   make test                       every check: style, types, layers, all tests
#   make bench [ARGS="appends"]     every figure of docs/performance.md, measured here; takes some minutes
#   make lint                       the checks that run nothing
#   make ide                        build the page for GraphQL questions anew from api/graphql/ide/source; needs npm
#   make verifier                   build the page's own verifier anew from api/web/verifier; needs npm
#   make texts                      bring the words of new pages into the catalogue, to be translated
#   make format                     rewrite the code in the project's style
#   make lock                       choose the newest allowed versions anew, after a change of dependencies

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
LIBRARIES := $(VENV)/.libraries
READY := $(VENV)/.ready

.PHONY: run test bench lint ide verifier texts format lock clean
.DELETE_ON_ERROR:

run: $(READY)
	$(BIN)/constancia up --demo $(ARGS)

# A process for each core, each with a database and programs of its own; the tests of one file share them.
test: lint
	$(BIN)/pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder $(ARGS)

bench: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ide:
	npm ci --prefix api/graphql/ide/source --ignore-scripts --no-audit --no-fund
	node api/graphql/ide/source/build.mjs

verifier:
	npm ci --prefix api/web/verifier --ignore-scripts --no-audit --no-fund
	node api/web/verifier/build.mjs

texts: $(READY)
	$(BIN)/pybabel --quiet extract --mapping pyproject.toml --no-location --omit-header --sort-output \
	  --output texts.pot api/web
	$(BIN)/pybabel --quiet update --input-file texts.pot --output-file api/web/locale/en.po --locale en \
	  --omit-header --no-fuzzy-matching --ignore-obsolete --width 120
	rm texts.pot

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Stamps remember what was installed: a changed lock makes the environment anew, a changed pyproject.toml installs the
# project again. The lock holds a hash for every file and no address: files come from whatever index pip is set to use.
$(LIBRARIES): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Hace falta Python 3.11 o posterior; indique cuál: make PYTHON=python3.12 …" >&2; \
	  echo "Python 3.11 or later is needed; say which: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "Falta el módulo venv de Python (en Debian: apt install python3-venv)." >&2; \
	  echo "Python's venv module is missing (on Debian: apt install python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(READY): $(LIBRARIES) pyproject.toml
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

LOCK = $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate pyproject.toml

lock: $(READY)
	$(PIP) install uv
	$(LOCK) --output-file requirements.lock
	$(LOCK) --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
