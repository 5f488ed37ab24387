# Two commands do all the set-up: `make demo` and `make test`. Each makes its own environment in .venv; the engines of
# tests/engines have one each beside it.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(shell git ls-files rust python pyproject.toml Cargo.toml Cargo.lock THIRD-PARTY-NOTICES.txt 2>/dev/null)

# A wheel carries no folder of the machine that built it, but where panics come from as if cargo's home were /cargo and
# the toolchain's sources, if they are installed, /rustc. Every crate needs the flags (maturin's `rustc-args` reach the
# last one only), and a file of settings cannot name the builder's folders (cargo expands no variables in one). The
# environment's flags stay, and win over those of cargo's own settings. Crates built with and without lie side by side in
# target/: neither build undoes the other.
CARGO_HOME ?= $(HOME)/.cargo
REMAP = --remap-path-prefix=$(CURDIR)=. --remap-path-prefix=$(CARGO_HOME)=/cargo \
	--remap-path-prefix=$$(rustc --print sysroot)/lib/rustlib/src/rust=/rustc

# Engines whose pins exclude one another's: an environment each.
ENGINES := frames sail ray spark

.PHONY: demo test docs engines campaign bench notices parameters policy package clean

demo: .venv/installed ## build, install and margin an embedded sample account
	$(BIN)/margincore demo

test: .venv/complete ## every check and test
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo test --workspace --features margincore/schema --quiet
	RUSTFLAGS="--cfg loom" cargo test --package margincore-kernel --lib --target-dir target/loom --quiet shared::models
	$(BIN)/ruff check python tests benches tools
	$(BIN)/mypy
	cd tests && ../$(BIN)/python -m mypy.stubtest margincore._core --allowlist stubtest-allowlist.txt --concise
	$(BIN)/python -m pytest tests README.md docs --pyargs margincore --doctest-glob=README.md --doctest-glob='docs/*.md'
	$(MAKE) engines

# What zensical keeps of an earlier build does not know that a docstring has changed: --clean.
docs: .venv/complete ## the site, in site/: pages are run for their pictures, a broken link fails
	$(BIN)/python tools/pictures.py
	$(BIN)/zensical build --strict --clean

# An engine that cannot be installed is named by the run, which fails for it where .ci/run or CI asks for all.
engines: .venv/installed ## the streams and parts of margincore.batch on Spark, Ray, Sail, DuckDB, polars and DataFusion
	-@$(MAKE) --keep-going --no-print-directory $(ENGINES:%=.venv-%/installed)
	$(PYTHON) -m tests.engines.run $(ENGINES)

campaign: .venv/complete ## what takes longer than a change should wait for
	MARGINCORE_STRESS_ROUNDS=10000 $(BIN)/python -m pytest tests/python/live/test_threads.py -rP
	MARGINCORE_STRESS_ROUNDS=1000 $(BIN)/python -m pytest tests/python/batch/test_killed_batch.py -rP
	MARGINCORE_STRESS_ROUNDS=300 $(BIN)/python -m pytest tests/python/monitoring/test_killed_day.py -rP

bench: .venv/complete ## side by side with what else is installed
	$(BIN)/python -m benches

policy: ## licences, sources and bans of the crates inside a wheel; `cargo install cargo-deny --locked` first
	cargo deny check bans licenses sources

package: ## the crates as crates.io would get them, without building them again
	cargo package --workspace --exclude margincore-python --no-verify --allow-dirty --offline --quiet

parameters: ## the JSON Schema of every rulebook's parameters and docs/parameters.md, from the types, when one changes
	cargo run --quiet --package margincore --features schema --example schema > target/rulebooks.json
	mv target/rulebooks.json python/margincore/schema/rulebooks.json
	$(PYTHON) tools/parameters.py

notices: ## what a wheel says of the crates inside it, when one of them changes
	$(PYTHON) tools/notices.py

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip "maturin>=1.12,<2"

# The tests run against the optimised wheel that a user would install.
.venv/installed: .venv/bin/python $(SOURCES)
	rm -rf dist
	RUSTFLAGS="$$RUSTFLAGS $(REMAP)" $(BIN)/maturin build --release --quiet --out dist
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps dist/margincore-*.whl
	$(BIN)/python -m pip install --quiet "margincore[cli] @ file://$$(echo $(CURDIR)/dist/margincore-*.whl)"
	touch $@

.venv/complete: .venv/installed
	$(BIN)/python -m pip install --quiet "margincore[cli,report,test,docs,bench] @ file://$$(echo $(CURDIR)/dist/margincore-*.whl)"
	touch $@

.venv-%/packages: tests/engines/requirements/%.txt
	rm -rf .venv-$*
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# The same wheel as in .venv, and nothing that it would like to install.
.venv-%/installed: .venv-%/packages .venv/installed
	rm -f $@
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps dist/margincore-*.whl
	touch $@

.PRECIOUS: .venv-%/packages

clean:
	rm -rf .venv $(ENGINES:%=.venv-%) .cache dist docs/pictures site target
