# Likeness. `make run` starts it, `make test` checks it; README.md tells the rest.

PYTHON ?=
export PYTHON
BIN := .venv/bin

.PHONY: help run test lint bench bench-faces bench-gallery bench-liveness screenshots clean setup setup-dev

help:
	@echo "make run          start Likeness (PORT, HOST, DATA_DIR and others: .env.example)"
	@echo "make test         lint, types, import contracts, and all tests"
	@echo "make lint         the first three of these"
	@echo "make bench        measure, on this machine (bench-gallery: only the search)"
	@echo "make bench-faces  how well faces are told apart (PAIRS=folder in LFW's layout), how fast"
	@echo "make bench-liveness  how often a picture passes for a person (N=, RECORDINGS=, FACES=)"
	@echo "make screenshots  take the README's pictures anew from the running app"
	@echo "make clean        remove .venv and caches; your data stays"

run: setup
	@exec $(BIN)/python manage.py up

# pytest comes last, so that the last lines are its summary. First what runs side by side, then
# pages in a browser, then the whole stack with a browser, alone.
test: setup-dev lint
	@scripts/test-tools.sh
	$(BIN)/python -m pytest -q -n 2 -m "not e2e"
	$(BIN)/python -m pytest -q -n 2 -m "e2e and not stack"
	$(BIN)/python -m pytest -q -m stack

lint: setup-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup-dev
	@for bench in tests/bench/bench_*.py; do \
		name=$$(basename "$$bench" .py); echo "== $$name"; \
		case "$$name" in \
			bench_faces) what=--speed ;; \
			bench_liveness) what="--n 1 --species bona_fide --out bench-results/live-speed.json" ;; \
			*) what= ;; \
		esac; \
		$(BIN)/python -m "tests.bench.$$name" $$what || exit 1; \
	done

bench-faces: setup-dev
	@exec $(BIN)/python -m tests.bench.bench_faces $(if $(PAIRS),"$(PAIRS)")

bench-gallery: setup-dev
	@$(BIN)/python -m tests.bench.bench_gallery

# Simulated presentations of each species, N of them; or recorded sessions, or photographed people.
bench-liveness: setup-dev
	@exec $(BIN)/python -m tests.bench.bench_liveness $(if $(N),--n "$(N)") \
		$(if $(RECORDINGS),--recordings "$(RECORDINGS)") $(if $(FACES),--faces "$(FACES)")

screenshots: setup-dev
	@scripts/test-tools.sh
	@exec $(BIN)/python scripts/screenshots.py

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@scripts/setup.sh

setup-dev:
	@scripts/setup.sh dev
