# Every target does all of its own set-up on a fresh Debian 12 with a Swift toolchain.
.PHONY: help build demo test soak lint generate bench bench-instructions

# Imports that a target does not declare are errors; warnings are too (Package.swift).
# Without colours, because a build for a terminal would not be taken up by one that writes to a log, and the other way round.
BUILD := swift build --explicit-target-dependency-import-check error --no-color-diagnostics
# Static: a program that starts in a third of the time and runs where no Swift is installed.
RELEASE := $(BUILD) -c release --static-swift-stdlib
export PATH := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/belay/python/bin:$(PATH)

help:      ## Show this
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 28

build:     ## Build both programs, optimised
	@.ci/setup build
	@echo "building; the first time this takes about six minutes on two cores"
	@$(RELEASE) --quiet --product reconcile
	@$(RELEASE) --quiet --product belay-sandbox

demo: build ## A system on simulated providers, rolled forward and back: about half a minute after the build
	@docs/demo/run

test:      ## Lint, build with every check, run all tests
	@.ci/setup test
	@$(MAKE) --no-print-directory lint
	@$(BUILD) --build-tests
	@.ci/test

soak:      ## The tests that can be any length, at full length: about an hour for the loop, then some for the databases
	@.ci/setup test
	@$(BUILD) --build-tests
	@# With one order of every dictionary a seed tells the same story in every process.
	@BELAY_LONG=1 SWIFT_DETERMINISTIC_HASHING=1 swift test --skip-build --no-parallel --filter 'SoakTests'
	@BELAY_LONG=1 swift test --skip-build --no-parallel --filter 'DatabaseScenarioTests|MigrationsTests.CrashTests'

lint:      ## Formatting, as strict as CI
	@swift format lint --strict --recursive Package.swift Sources Tests Benchmarks docs/examples

generate:  ## Write the generated files anew: CRD, JSON Schema, reference page
	@.ci/setup build
	@$(BUILD) --product reconcile
	@.build/debug/reconcile generate --output .

bench: build ## Every measured row next to its floor and its peer, as ratios: about three minutes after the build
	@.ci/setup bench
	@$(RELEASE) --product belay-bench
	@python3 Benchmarks/driver

bench-instructions: build ## The instructions of four rows against the recorded ones; more than 2 % above them fails
	@.ci/setup bench
	@$(RELEASE) --product belay-bench
	@python3 Benchmarks/driver --only 14
