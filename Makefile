# Everything this repository can do. `make` alone lists it.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

include tools.mk

# Lint, tests and generators compile each package as it ships, and so once.
export CGO_ENABLED := 0
export GOFLAGS     := $(strip $(GOFLAGS) -trimpath)

ROOMS   := cmd server edge wallet sync internal
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)

# The one list of Debian packages that tests and demo use. Whoever adds one says
# below what is skipped without it.
DEBIAN_PACKAGES := zbar-tools poppler-utils e2fsprogs openssl hledger beancount postgresql-15 gcc libc6-dev chromium fonts-dejavu-core

WITHOUT_zbar-tools    := tests that read our QR pictures with a reader not ours
WITHOUT_poppler-utils := tests that read our papers with a reader not ours
WITHOUT_e2fsprogs     := power-cut tests (they make a file system on a loop device)
WITHOUT_openssl       := tests that check our signatures with a second implementation
WITHOUT_hledger       := tests that have the journal of a settlement read by a ledger program
WITHOUT_beancount     := tests that have the journal of a settlement read by a ledger program
WITHOUT_postgresql-15 := tests of HQ on PostgreSQL
WITHOUT_gcc           := the race detector, and so the suite called race
WITHOUT_libc6-dev     := the race detector, and so the suite called race
WITHOUT_chromium      := stories of the pages in a browser
WITHOUT_fonts-dejavu-core := stories of the pages in a browser (their pictures)

# Each command and all flags that it is built with, for this machine and for
# release alike.
COMMANDS        := hq edge fleet verify
RELEASED        := hq edge verify
RELEASE_SYSTEMS := linux/amd64 linux/arm64 windows/amd64
BUILD           := -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)'
BUILD_hq        := $(BUILD)
BUILD_edge      := $(BUILD)
BUILD_fleet     := $(BUILD)
BUILD_verify    := $(BUILD)

# Suites of `make test`, and the minutes they may take together on two cores.
SUITE_NAMES  := lint web generated race unit sim stories faults
TEST_MINUTES := 15
# A skip that matches (as package.Test: reason) fails `make test`; .ci/run sets it.
FORBID_SKIPS ?=

# HQ's rooms run without the race detector here: SQLite translated to Go is slow
# under it, and so is drawing. `make soak` runs them with it.
below         = $(patsubst %,./%/...,$(wildcard $(1)))
DRAWING       := ./wallet/brand/...
WALLETS       := $(patsubst %/,./%/...,$(wildcard wallet/*/))
RACE_PACKAGES := $(call below,internal sync edge) $(filter-out $(DRAWING),$(WALLETS))
UNIT_PACKAGES := $(call below,server cmd) $(DRAWING)
# Packages that start the real binaries, simulate or measure; they have suites of their own.
APART         := ./internal/e2e/... ./internal/bench/... ./internal/sim/... ./internal/quarter/...
FAULTS        := TestG3|TestG4

FUZZTIME    ?= 20s
FUZZ_BUDGET ?= 0
SOAK_FUZZ_BUDGET ?= 5m

# Not $(MAKE): a recipe line that names it runs even under make -n.
SELF     := $(MAKE)
GO_TEST  := go test -count=1 -vet=off
BINARIES := TALLYSTICK_BIN=$(abspath bin)
# expand lists the packages that exist among patterns, less those set apart. Those whose
# tests take longest come first, so that none of them runs on alone at the end.
LONGEST := server/(api|ledger|store)|sync/journal|edge/(cache|till)
expand = $$(comm -23 <(go list -e $(1) 2>/dev/null | sort) <(go list -e $(APART) 2>/dev/null | sort) | \
	awk '$$0 ~ "/($(LONGEST))$$" { print; next } { rest = rest $$0 "\n" } END { printf "%s", rest }')

.PHONY: help
help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: deps
deps: go-version node-version discovery ## install the Debian packages that tests use (as root; else say how)
	@missing=""; \
	command -v dpkg-query >/dev/null || { echo "deps: not a Debian system; needed are: $(DEBIAN_PACKAGES)"; exit 0; }; \
	for p in $(DEBIAN_PACKAGES); do \
		[ "$$(dpkg-query -W -f '$${db:Status-Status}' "$$p" 2>/dev/null)" = installed ] || missing="$$missing $$p"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" = 0 ]; then \
		echo "deps: installing$$missing"; \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing && exit 0; \
		echo "deps: the packages could not be installed"; \
	fi; \
	echo "deps: to have all tests run:  sudo apt-get update && sudo apt-get install -y --no-install-recommends$$missing"; \
	for p in $$missing; do case $$p in \
		$(foreach p,$(DEBIAN_PACKAGES),($(p)) echo "deps:   without $(p): no $(WITHOUT_$(p))" ;;) \
	esac; done

# What tests check the bodies for Google Wallet by: a file in the source of Google's Go
# client, which is only fetched. The version is that of internal/testkit/googledouble.
DISCOVERY = $$(sed -n 's/^.*module *= "\(.*\)"$$/\1/p' internal/testkit/googledouble/discovery.go)
.PHONY: discovery
discovery: go-version
	@module=$(DISCOVERY); cd / && go mod download "$$module" 2>/dev/null || \
		echo "SKIPPED ALOUD: bodies for Google Wallet are not checked by Google's discovery document: $$module cannot be fetched"

.PHONY: go-version
go-version:
	@need=$$(awk '$$1 == "go" { print $$2 }' go.mod); \
	command -v go >/dev/null || { echo "Go $$need or newer is needed: see https://go.dev/dl/"; exit 1; }; \
	have=$$(go env GOVERSION); have=$${have#go}; \
	[ "$$(printf '%s\n' "$$need" "$${have%% *}" | sort -V | head -n 1)" = "$$need" ] || \
		{ echo "Go $$need or newer is needed, this is $$have: see https://go.dev/dl/"; exit 1; }

# The pages. Debian 12's own Node.js (18) is too old for Vite 8.
NODE_NEEDED := 20.19.0
WEB         := internal/web
WEB_SOURCES  = $(shell find $(WEB) \( -name node_modules -o -name gen -o -path $(WEB)/dist -o -name test \) -prune -o -type f ! -name '*.go' ! -name '*.md' -print) \
	edge/api/openapi.yaml server/api/openapi.yaml
WITHOUT_NODE := without Node.js $(NODE_NEEDED) or newer and npm (https://nodejs.org/en/download; Debian 12 has only 18) \
	the binaries have no pages: /till, /card and /console answer 503
have-node    = command -v npm >/dev/null && command -v node >/dev/null && \
	[ "$$(printf '%s\nv%s\n' "$$(node --version)" $(NODE_NEEDED) | sort -V | head -n 1)" = v$(NODE_NEEDED) ]

.PHONY: node-version
node-version:
	@$(have-node) || echo "SKIPPED ALOUD: $(WITHOUT_NODE)"

.PHONY: web
web: build/web.stamp ## build the pages into internal/web/dist (needs Node.js)

$(WEB)/node_modules/.installed: $(WEB)/package-lock.json
	@$(have-node) || exit 0; cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.installed

build/web.stamp: $(WEB)/node_modules/.installed $(WEB_SOURCES)
	@$(have-node) || { echo "web: $(WITHOUT_NODE)"; exit 0; }; \
	cd $(WEB) && npm run --silent build && mkdir -p $(CURDIR)/build && touch $(CURDIR)/build/web.stamp

# Readers of Apple passes that are not ours, for tests and a benchmark; they bring a
# Node.js of their own (24). About 50 MB, fetched once.
READERS := wallet/apple/testdata/readers
.PHONY: pass-readers
pass-readers: $(READERS)/node_modules/.installed ## install the npm readers that tests hand Apple passes to

$(READERS)/node_modules/.installed: $(READERS)/package-lock.json
	@$(have-node) || { echo "SKIPPED ALOUD: without Node.js and npm no test hands Apple passes to readers that are not ours"; exit 0; }; \
	cd $(READERS) && npm ci --loglevel=error && touch node_modules/.installed

.PHONY: web-check
web-check: $(WEB)/node_modules/.installed ## types, form and unit tests of the pages
	@$(have-node) || { echo "SKIPPED ALOUD: $(WITHOUT_NODE)"; exit 0; }; \
	cd $(WEB) && npm run --silent check && npm run --silent format:check && npm test --silent

# Lets the stories of one page run alone: PAGE=Till, TillPaper, Console or Card; STORY=name.
PAGE ?= Till|TillPaper|Console|Card
.PHONY: e2e
e2e: deps build ## play the stories of the pages in a browser; pictures go to build/screenshots
	@$(BINARIES) $(GO_TEST) -v -timeout 8m -run '^Test($(PAGE))Page$$' ./internal/e2e

.PHONY: build
build: go-version web $(COMMANDS:%=bin/%) ## build the commands into bin, and print their sizes
	@cd bin && stat -c '%n %s' $(COMMANDS) | awk '{ printf "bin/%-6s %6.1f MB\n", $$1, $$2 / 1e6 }'

# go build itself knows what has to be built again.
.PHONY: $(COMMANDS:%=bin/%)
$(COMMANDS:%=bin/%): bin/%: | web
	@go build $(BUILD_$*) -o $@ ./cmd/$*

.PHONY: release
release: go-version web ## cross-compile hq, edge and verify for every system, with checksums
	@rm -rf build/release && mkdir -p build/release
	@$(foreach system,$(RELEASE_SYSTEMS),$(foreach c,$(RELEASED),$(call release-one,$(c),$(subst /, ,$(system)))))
	@cd build/release && sha256sum -- * > SHA256SUMS && sha256sum --check --quiet SHA256SUMS
	@cd build/release && stat -c '%n %s' -- * | awk '{ printf "build/release/%-24s %6.1f MB\n", $$1, $$2 / 1e6 }'

# release-one builds command $(1) for the system and processor in $(2), and
# refuses a binary that is not static.
define release-one
out=build/release/$(1)-$(word 1,$(2))-$(word 2,$(2))$(if $(filter windows,$(2)),.exe); \
GOOS=$(word 1,$(2)) GOARCH=$(word 2,$(2)) go build $(BUILD_$(1)) -o $$out ./cmd/$(1); \
go version -m $$out | grep -q 'CGO_ENABLED=0' || { echo "$$out is not static"; exit 1; };
endef

.PHONY: demo
demo: deps build ## start HQ and two stores here and tell the story (DEMO=auto, DEMO=check)
	@$(BINARIES) bin/fleet demo --mode='$(DEMO)'

# Stories wait more than they work, so what needs no quiet machine runs beside them.
.PHONY: test
test: deps build pass-readers $(SUITES) ## run every suite and print the minutes each took
	@rm -rf build/suites; \
	trap '$(SUITES) table -limit $(TEST_MINUTES)m -forbid-skips "$$FORBID_SKIPS" $(SUITE_NAMES) || exit 1' EXIT; \
	$(SUITES) run lint -- $(SELF) lint; \
	$(call race-suite,race,$(RACE_PACKAGES)); \
	$(SUITES) run -min 1 unit -- $(GO_TEST) -timeout 10m $(call expand,$(UNIT_PACKAGES)); \
	$(BINARIES) $(SUITES) run -v -min 1 sim -- $(GO_TEST) -v -timeout 10m ./internal/sim ./internal/quarter/...; \
	mkdir -p build/suites; beside() { \
		$(BINARIES) $(SUITES) run -v -min 1 faults -- $(GO_TEST) -v -timeout 10m -run '$(FAULTS)' ./internal/e2e/... && \
		$(SUITES) run generated -- $(SELF) verify-generated && \
		$(SUITES) run web -- $(SELF) web-check; \
	}; \
	beside >build/suites/beside.log 2>&1 & beside=$$!; failed=; \
	$(BINARIES) $(SUITES) run -v -min 1 stories -- $(GO_TEST) -v -timeout 8m -parallel 4 -skip '$(FAULTS)' ./internal/e2e/... || failed=1; \
	wait $$beside || failed=1; cat build/suites/beside.log; [ -z "$$failed" ]
export FORBID_SKIPS

# race-suite runs the packages $(2) as suite $(1) under the race detector, which
# needs a C compiler; without one the same tests run plainly, and it says so.
define race-suite
race=-race; command -v $${CC:-gcc} >/dev/null || { race=; echo "SKIPPED ALOUD: race detector: no C compiler (see make deps)"; }; \
CGO_ENABLED=$${race:+1} $(SUITES) run -min 1 $(1) -- $(GO_TEST) $$race -timeout 20m $(3) $(call expand,$(2))
endef

# Properties of HQ that go one step after the other. No two goroutines meet in them, so the
# race detector finds nothing there and takes ten times as long; `make test` plays them.
STEP_BY_STEP := TestG2_LossStaysWithin|TestG5_AFullQueue|TestG7_|TestWhatComesBackIsTakenFromTheClaimer|TestSettlementIsTheTruth|TestBreakageIsProjected

# docs/proof.md says what is checked. SEEDS unset plays what fits in the time for tests;
# RIGHTS=1 plays worlds with rights too.
SEEDS ?= 0
FROM  ?= 1
.PHONY: sim
sim: go-version ## play SEEDS simulated worlds from seed FROM on; the last line sums them up
	@$(GO_TEST) -v -timeout 24h -run 'TestSim$$' ./internal/sim -sim.seeds=$(SEEDS) -sim.from=$(FROM) $(if $(filter 0,$(RIGHTS)),-sim.rights=false) | \
		awk '{ line = $$0; sub(/^ *[a-z_]+\.go:[0-9]+: /, "", line) } line ~ /^sim: / { last = line; next } !/^(=== RUN|--- PASS|PASS|ok )/ { print } END { print last }'

.PHONY: sim-mutants
sim-mutants: go-version ## play builds that are wrong on purpose; each must be caught
	@$(GO_TEST) -v -timeout 60m -run TestSimCatchesBrokenBuilds ./internal/sim

.PHONY: sim-long
sim-long: go-version ## 10,000 honest crash recoveries, 100 copied terminals, 50 weeks alone
	@$(GO_TEST) -v -timeout 10h -run 'TestG[0-9]' ./internal/sim -sim.rights -sim.recoveries=10000 -sim.copies=100 -sim.scenes=50

# QUARTER_DB=sqlite plays on SQLite; QUARTER_STORES, _LANES, _MEMBERS, _DAYS, _SALES (of a
# lane on a day), _FRAUDS (sets of each kind) and _SEED choose another size.
.PHONY: quarter
quarter: deps build ## play a quarter of 200 stores against HQ; all it says must be as it was (build/quarter.json)
	@TALLYSTICK_QUARTER=1 $(BINARIES) $(GO_TEST) -v -timeout 12h -run '^TestTheWholeQuarterIsAsItWas$$' ./internal/quarter

.PHONY: quarter-mutants
quarter-mutants: go-version ## play the small quarter on builds that are wrong on purpose; each must be caught
	@TALLYSTICK_QUARTER=1 $(GO_TEST) -v -timeout 60m -run '^TestTheQuarterCatchesBrokenBuilds$$' ./internal/quarter

.PHONY: soak
soak: deps build pass-readers $(SUITES) ## run longer campaigns: faults at raised counts, races in HQ, fuzzing
	@rm -f build/suites/soak-*.json; \
	trap '$(SUITES) table -forbid-skips "$$FORBID_SKIPS" soak-faults soak-race soak-fuzz || exit 1' EXIT; \
	TALLYSTICK_SOAK=1 $(BINARIES) $(SUITES) run -v -min 1 soak-faults -- $(GO_TEST) -v -timeout 30m -run '$(FAULTS)|TestSoak' ./internal/e2e/...; \
	$(call race-suite,soak-race,$(UNIT_PACKAGES),-skip '$(STEP_BY_STEP)'); \
	$(SUITES) run soak-fuzz -- $(SUITES) fuzz -each $(FUZZTIME) -budget $(SOAK_FUZZ_BUDGET) ./...

.PHONY: bench
bench: deps build ## measure against the limits of this machine; tables and build/bench/*.json
	@TALLYSTICK_BENCH=1 $(BINARIES) go test -count=1 -v -timeout 30m ./internal/bench

# docs/benchmarks.md says what the environment may choose.
.PHONY: bench-ledger
bench-ledger: deps build ## measure HQ's ledger on both engines (BENCH_LONG=1: to 2 million entries)
	@TALLYSTICK_BENCH=1 $(BINARIES) go test -count=1 -v -timeout $(if $(BENCH_LONG),24h,60m) ./internal/bench/ledger

.PHONY: bench-close
bench-close: deps go-version ## measure how long closing a day of 1,000 stores takes on PostgreSQL
	@TALLYSTICK_BENCH=1 go test -count=1 -v -timeout 60m ./internal/bench/closing

.PHONY: bench-wallet
bench-wallet: deps build pass-readers ## measure passes: signing, fetching again, a change brought to 100,000 phones
	@TALLYSTICK_BENCH=1 $(BINARIES) go test -count=1 -v -timeout 60m ./internal/bench/wallet

# SETTLE_ENTRIES (10 million), SETTLE_SMALL (what memory is held against, a million) and
# SETTLE_STORES (200) choose the size.
.PHONY: bench-settle
bench-settle: deps go-version ## measure following, drafting and locking a settlement month over 10 million entries
	@TALLYSTICK_BENCH=1 go test -count=1 -v -timeout 6h ./internal/bench/settle

# BOOKS_ROWS (a million) chooses the size.
.PHONY: bench-books
bench-books: deps go-version ## measure reading and matching a file of a million rows that no journal has
	@TALLYSTICK_BENCH=1 go test -count=1 -v -timeout 60m ./internal/bench/tillbooks

.PHONY: fuzz
fuzz: $(SUITES) ## run every fuzz target for FUZZTIME (20s)
	@$(SUITES) fuzz -each $(FUZZTIME) -budget $(FUZZ_BUDGET) ./...

.PHONY: lint
lint: $(STATICCHECK) $(GOFUMPT) ## go vet, staticcheck, gofumpt, and the layering rules
	go vet ./...
	$(STATICCHECK) ./...
	@unformatted=$$($(GOFUMPT) -l $(wildcard $(ROOMS))); \
	[ -z "$$unformatted" ] || { printf 'not as gofumpt has it (run make format):\n%s\n' "$$unformatted"; exit 1; }
	go test -count=1 ./internal/layering

.PHONY: format
format: $(GOFUMPT) ## rewrite the Go files as gofumpt has them
	@$(GOFUMPT) -l -w $(wildcard $(ROOMS))

.PHONY: generate
generate: ## write generated files anew
	go generate ./...

# The check works on copies, so it neither trusts nor touches the work tree.
.PHONY: verify-generated
verify-generated: ## fail when a committed generated file is not what `make generate` writes
	@rm -rf build/generated && mkdir -p build/generated/before
	@git ls-files -z --cached --others --exclude-standard | \
		while IFS= read -r -d '' f; do [ ! -e "$$f" ] || printf '%s\0' "$$f"; done | \
		tar --null -T - -cf - | tar -xf - -C build/generated/before
	@cp -a build/generated/before build/generated/after
	@cd build/generated/after && go generate ./...
	@diff -ru build/generated/before build/generated/after || \
		{ echo "generated files are out of date: run make generate and commit"; exit 1; }
	@rm -rf build/generated && echo "generated files are up to date"

.PHONY: clean
clean: ## remove what was built here (tools included)
	@rm -rf bin build $(WEB)/node_modules $(READERS)/node_modules
	@find $(WEB)/dist -mindepth 1 ! -name .keep -delete
