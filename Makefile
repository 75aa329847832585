# rgate. `make` or `make help` lists the targets.

GO      ?= go
BINARY  := bin/rgate
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
COMMIT  ?= $(shell git rev-parse --short=12 HEAD 2>/dev/null)
# Without git the binary falls back to what the Go tool stamped into it.
LDFLAGS := -s -w $(if $(VERSION),-X rgate/internal/cli.version=$(VERSION)) $(if $(COMMIT),-X rgate/internal/cli.commit=$(COMMIT))
# Linters are pinned in a module of their own, which keeps rgate's lean.
TOOL    := $(GO) tool -modfile=tools/go.mod
GOTEST  := $(GO) test -p 2
PKGS    ?= ./...
PORT    ?= 8080
CONFIG  ?= config.yml
FUZZTIME ?= 30s
FOR     ?= 1m

.DEFAULT_GOAL := help
.PHONY: help build image run demo test test-unit check lint cover bench bench-caddy bench-loops bench-go strace acme h2spec soak compare-deploys attack interop fuzz sequences vuln clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the static binary bin/rgate
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BINARY) ./cmd/rgate

image: build ## build the container image rgate:latest (wants docker)
	docker build -t rgate:latest .

run: build ## serve CONFIG (config.yml) on PORT (8080)
	$(BINARY) --port $(PORT) --config $(CONFIG)

demo: build ## show rgate with four containers of its own making
	$(BINARY) demo

test: ## run every test, those on a real Docker engine too
	scripts/with-engine $(GOTEST) -timeout 10m $(PKGS)

test-unit: ## run the tests that need no Docker engine
	$(GOTEST) -short -timeout 10m $(PKGS)

# With the tag, memory that the loop gives back is overwritten, so that whoever
# still reads it is found out; make test runs the same tests on what is shipped.
check: lint ## vet, linters, formatting, tidiness, then every test with the race detector and poisoned buffers
	scripts/with-engine $(GOTEST) -race -tags poison -timeout 15m $(PKGS)

lint: ## vet, linters, formatting and tidiness alone
	$(GO) vet ./...
	$(GO) vet -tags poison ./internal/loop ./internal/standard
	$(TOOL) staticcheck ./...
	@files=$$(gofmt -l cmd internal scripts bench soak attack); if [ -n "$$files" ]; then echo "not formatted (run gofmt -w):"; echo "$$files"; exit 1; fi
	$(GO) mod tidy -diff

cover: ## measure the coverage of every test, with a page in coverage.html
	scripts/with-engine $(GOTEST) -timeout 10m -coverpkg=./internal/... -coverprofile=coverage.out $(PKGS)
	$(GO) tool cover -html=coverage.out -o coverage.html
	@$(GO) tool cover -func=coverage.out | tail -n 1

bench: ## compare with nginx and HAProxy over HTTP, HTTPS and HTTP/2 (Debian; installs them where missing)
	$(GO) run ./bench

bench-caddy: ## compare with Caddy too (installs it with go install)
	$(GO) run ./bench -caddy -engines loop -only 'small|browser|post|answer-10k' -json .cache/bench-caddy.json

bench-loops: ## what two loops cost where one would do
	$(GO) run ./bench -loops 2 -engines loop -only ^small -json .cache/bench-loops.json

bench-go: ## run the Go benchmarks, with allocations
	$(GO) test -run '^$$' -bench . -benchmem $(PKGS)

strace: build ## count the system calls per request (Linux; installs strace where missing)
	$(GO) run ./scripts/strace-loop -binary $(BINARY)

soak: ## hold load on rgate through deploys, crashes and reloads, and count what is lost
	scripts/with-engine $(GO) run ./soak

compare-deploys: ## the deploys of soak against nginx and Caddy too (installs them where missing)
	scripts/with-engine $(GO) run ./soak -compare

attack: ## attack rgate and count what well-behaved clients still get (Debian; installs slowhttptest)
	$(GO) run ./attack

h2spec: ## run all 146 cases of h2spec, over TLS and in the clear, with each engine
	$(GO) run ./scripts/h2spec

interop: ## have gRPC's own client and server judge rgate (builds them from the module proxy)
	$(GO) run ./scripts/interop

fuzz: ## run each fuzz target for FUZZTIME (30s)
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' internal | while read -r file; do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
			echo "== $$target in $$(dirname "$$file")"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x "./$$(dirname "$$file")"; \
		done; \
	done

sequences: ## send random sequences of exchanges through both engines, FOR (1m) long
	$(GO) test -race -tags poison ./internal/conformance -run '^TestSequences$$' -v -timeout 0 -sequences.for $(FOR)

# Pebble is an authority for tests. It is pinned in a module of its own.
acme: .cache/pebble .cache/pebble-challtestsrv ## test certificates by ACME against a real authority, pebble
	$(GOTEST) -tags pebble -race -timeout 15m ./internal/acme

.cache/pebble .cache/pebble-challtestsrv: tools/pebble/go.mod
	cd tools/pebble && CGO_ENABLED=0 $(GO) build -o $(CURDIR)/$@ github.com/letsencrypt/pebble/v2/cmd/$(@F)

vuln: ## look for known vulnerabilities in what rgate calls (needs the network)
	$(TOOL) govulncheck ./...

clean: ## remove what was built
	rm -rf bin dist coverage.out coverage.html
