# Two commands do everything: `make demo` and `make test`. Each makes its own environment in .venv first.
PYTHON ?= python3
BIN := .venv/bin
# The tests start hundreds of programs: each should find its modules compiled.
unexport PYTHONDONTWRITEBYTECODE
STAMP := .venv/.installed

.PHONY: crash chaos mutants fuzz hostile soak
.PHONY: demo test check format lint types imports pytest bench bench-engine bench-screen bench-safety bench-sweep bench-guard bench-duco lock clean

demo: $(STAMP)  ## the screen on simulated miners; no hardware, no network
	@$(BIN)/minertui demo

test: $(STAMP)  ## format, lint, types, import contracts and tests, in under five minutes on two cores
	@$(MAKE) --no-print-directory check > .venv/.checked 2>&1 & checks=$$!; \
	$(MAKE) --no-print-directory pytest; tested=$$?; \
	wait $$checks; checked=$$?; cat .venv/.checked; exit $$((tested | checked))

check: format lint types imports

format: $(STAMP)
	@$(BIN)/ruff format --check .

lint: $(STAMP)
	@$(BIN)/ruff check .

types: $(STAMP)
	@$(BIN)/mypy

imports: $(STAMP)
	@$(BIN)/lint-imports --no-logo

pytest: $(STAMP)
	@$(BIN)/pytest -n 4 --dist worksteal -m "not long"

bench: bench-engine bench-screen bench-safety bench-duco bench-guard  ## what everything costs (docs/figures.md); some twenty minutes, quiet machine

bench-engine bench-screen bench-safety bench-sweep bench-guard bench-duco: bench-%: $(STAMP)  ## one of them; SHORT=1 checks in seconds that it works, as `make test` does
	@$(BIN)/python -m tests.bench.bench_$* $(if $(SHORT),--short)

crash: $(STAMP)  ## the engine killed at each system call that changes anything, and each power cut; some twenty minutes
	@$(BIN)/python -m tests.proofs.crash

chaos: $(STAMP)  ## many simulated miners, people and every fault in virtual time: make chaos HOURS=1000 MINERS=160 SEED=1 DENSE=1 JOBS=2
	@$(BIN)/python -m tests.proofs.chaos --seeded
	@$(BIN)/python -m tests.proofs.chaos --miners $(or $(MINERS),160) --hours $(or $(HOURS),1000) --seed $(or $(SEED),1) $(if $(DENSE),--dense) $(if $(JOBS),--jobs $(JOBS))

mutants: $(STAMP)  ## the safety kernel: every branch is tested, and faults put into it are noticed; some fifteen minutes
	@$(BIN)/pytest -n 0 --cov=minertui/safety --cov-branch --cov-fail-under=100 tests/safety
	@$(BIN)/python -m tests.proofs.mutants

fuzz: $(STAMP)  ## a million damaged inputs for each parser of foreign bytes; some half an hour
	@$(BIN)/python -m tests.proofs.fuzz

hostile: $(STAMP)  ## the real program on miners that attack the terminal, with a canary in every secret; some three minutes
	@$(BIN)/python -m tests.proofs.hostile

soak: $(STAMP)  ## the engine in real time on 160 simulated miners with faults: make soak HOURS=72; SPEED=10 fills faster
	@$(BIN)/python -m tests.proofs.soak $(if $(HOURS),--hours $(HOURS)) $(if $(SPEED),--speed $(SPEED))

$(STAMP): requirements.lock pyproject.toml
	@echo "Making the environment in .venv; a minute or two."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes --only-binary :all: -r requirements.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lock:  ## pin the dependencies anew (needs uv); hashes, and no index addresses
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --no-header --extra dev --extra alerts pyproject.toml --output-file requirements.lock
	@! grep -q '://' requirements.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
