# The set-up and every way to build. `make run` and `make test` do all that a fresh Debian 12 needs; `make help` lists the rest.
SHELL := /bin/bash
BUILD ?= build
JOBS ?= $(shell nproc)
# CI=true makes warnings errors.
WERROR := $(if $(filter true,$(CI)),ON,OFF)
LAUNCHER := $(if $(shell command -v ccache),-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)

.PHONY: all run test bench debug fuzz format tidy presubmit approve setup configure clean help

all: configure ## build pdarts into build/
	cmake --build $(BUILD) --parallel $(JOBS) --target pdarts

setup:
	@third_party/install_packages.sh

# ONEDNN_SOURCE=DIR and CATCH2_SOURCE=DIR take source trees of your own instead of Debian's.
configure: setup
	@set -euo pipefail; \
	onednn=$$(third_party/build_cached.sh onednn $(ONEDNN_SOURCE)); \
	catch2=$$(third_party/build_cached.sh catch2 $(CATCH2_SOURCE)); \
	cmake -S . -B $(BUILD) -G Ninja -DCMAKE_PREFIX_PATH="$$onednn;$$catch2" $(LAUNCHER) -DPDARTS_WERROR=$(WERROR) $(CMAKE_FLAGS) >$(BUILD).log 2>&1 \
	  || { tail -30 $(BUILD).log >&2; echo "configuring failed, see $(BUILD).log" >&2; exit 1; }

# RUN="search --out DIR ..." runs something else.
RUN ?= reproduce table1 --level smoke
run: all ## everything from a fresh machine to the first table
	$(BUILD)/pdarts $(RUN)

test: configure ## all tests
	cmake --build $(BUILD) --parallel $(JOBS)
	ctest --test-dir $(BUILD) --output-on-failure --parallel $(JOBS) --output-junit tests.xml

bench: all ## the speed of every network's steps on this machine, into results/bench/
	$(BUILD)/pdarts bench set --out results/bench

# Without the tests tagged [slow]: they take minutes under the sanitizers and run no code that the others do not.
debug: ## build-debug/ with address and undefined-behaviour sanitizers, and its tests
	$(MAKE) configure BUILD=build-debug CMAKE_FLAGS="-DCMAKE_BUILD_TYPE=Debug -DPDARTS_SANITIZE=ON"
	cmake --build build-debug --parallel $(JOBS)
	ctest --test-dir build-debug --output-on-failure --parallel $(JOBS) --output-junit tests.xml --label-exclude slow

fuzz: ## build-fuzz/ with the libFuzzer targets of tests/fuzz, which tests/fuzz/run runs
	@third_party/install_packages.sh clang
	cmake -S . -B build-fuzz -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=clang++ $(LAUNCHER) -DPDARTS_FUZZ=ON
	cmake --build build-fuzz --parallel $(JOBS)

format: ## rewrite all sources in the project's style
	git ls-files '*.cpp' '*.h' | xargs clang-format -i

tidy: configure ## clang-tidy over all sources
	@third_party/install_packages.sh clang-tidy
	git ls-files 'src/*.cpp' | xargs -P $(JOBS) -n 4 clang-tidy -p $(BUILD) --quiet

presubmit: ## the checks of style and structure
	.ci/presubmit $(BUILD)

# Not after `test`, which would end at the texts that are to be rewritten.
approve: configure ## rewrite the golden texts of the tests
	cmake --build $(BUILD) --parallel $(JOBS)
	PDARTS_APPROVE=1 ctest --test-dir $(BUILD) --output-on-failure

clean: ## remove what was built (not the cache of oneDNN)
	rm -rf build build-debug build-fuzz build.log build-debug.log build-fuzz.log

help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20
