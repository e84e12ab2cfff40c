# The commands of this project; `make` alone lists them.

PREFIX ?= /usr/local
PROFILE ?= release
# Seconds for each fuzz target.
FUZZ_SECONDS ?= 60

# A static binary with glibc, everywhere but in `make dist` (which is musl). The target is named, or procedural macros fail.
export CARGO_BUILD_TARGET ?= $(shell rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS ?= -C target-feature=+crt-static
TARGET_FOLDER = $(or $(CARGO_TARGET_DIR),target)
PROFILE_FOLDER = $(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
BINARY = $(TARGET_FOLDER)/$(CARGO_BUILD_TARGET)/$(PROFILE_FOLDER)/mailtool

# Tests that take seconds: those of each module, and these.
TESTS = $(basename $(notdir $(wildcard tests/*.rs)))
FAST = $(filter layers cli readme manual vocabulary,$(TESTS))

# Who reads the documentation works on the program: private items are in it, and may be linked to.
DOC_FLAGS = -D warnings -A rustdoc::private-intra-doc-links

.PHONY: help serve build test check deny bench fuzz dist install

help:
	@sed -n 's/^## //p' Makefile

## make serve     builds, and runs the server with its defaults; ARGS="--listen ..." adds options
serve: build
	$(BINARY) serve $(ARGS)

build:
	cargo build --locked --profile $(PROFILE)

## make test      every test; installs the programs that tests drive, or names the tests that are skipped
# What `make check test` has just tested is not tested twice.
UNTESTED = $(if $(filter check,$(MAKECMDGOALS)),$(addprefix --test ,$(filter-out $(FAST),$(TESTS))),--lib --bins --tests)
test:
	tests/programs.sh
	PATH=$$PATH:/usr/sbin:/sbin tests/several.sh --locked $(UNTESTED)
	cargo test --locked --doc

## make check     format, clippy, documentation, dependencies, then the fast tests
check:
	cargo fmt --check
	cargo fmt --check --manifest-path tests/fuzz/Cargo.toml
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="$(DOC_FLAGS)" cargo doc --locked --no-deps --document-private-items --quiet
	@$(MAKE) --no-print-directory deny
	cargo test --locked --lib --bins $(addprefix --test ,$(FAST))

# Advisories need a database from the network; without it the other checks stand.
deny:
	@if ! cargo deny --version >/dev/null 2>&1; then \
		echo "make check: cargo-deny is not installed, so deny.toml is not checked: cargo install --locked cargo-deny"; \
	else \
		cargo deny --locked check bans licenses sources && \
		if timeout 30 cargo deny --locked fetch db >/dev/null 2>&1; then \
			cargo deny --locked check advisories; \
		else \
			echo "make check: the database of advisories cannot be fetched, so it is not checked"; \
		fi; \
	fi

## make bench     benchmarks
# One row compares it with a program that has no taps.
bench:
	cargo build --locked --release --no-default-features --target-dir $(TARGET_FOLDER)/untapped
	MAILTOOL_BENCH_UNTAPPED=$(abspath $(TARGET_FOLDER)/untapped/$(CARGO_BUILD_TARGET)/release/mailtool) cargo bench --locked

## make fuzz      every fuzz target for FUZZ_SECONDS (60) each, or FUZZ="mime imap_server"; begins with the dialogues
# No sanitizer: there is hardly any unsafe code to watch, it runs on stable, and twice as fast.
FUZZ_FLAGS = --fuzz-dir tests/fuzz --sanitizer none --target $(CARGO_BUILD_TARGET)
fuzz:
	@cargo fuzz --version >/dev/null 2>&1 || \
		{ echo "make fuzz: cargo-fuzz is not installed: cargo install --locked cargo-fuzz"; exit 1; }
	cargo test --locked --quiet --test dialogs seeds_for_fuzzing -- --ignored
	for target in $(or $(FUZZ),$$(cargo fuzz list --fuzz-dir tests/fuzz)); do \
		dictionary=tests/fuzz/dictionaries/$${target%%_*}.dict; \
		mkdir -p "tests/fuzz/corpus/$$target"; \
		env -u RUSTFLAGS -u CARGO_BUILD_TARGET cargo fuzz run $(FUZZ_FLAGS) "$$target" -- \
			$$([ ! -e "$$dictionary" ] || echo "-dict=$$dictionary") \
			-max_total_time=$(FUZZ_SECONDS) -timeout=5 || exit 1; \
	done

## make dist      the static binary for any Linux (musl), as a tarball in dist/, proved in an empty chroot
dist:
	dist/build-musl.sh
	dist/pack.sh
	dist/prove.sh

## make install   binary, man pages and completions under PREFIX (/usr/local)
install: build
	dist/install.sh $(BINARY) "$(DESTDIR)$(PREFIX)"
