# Everything a contributor or CI runs. `make help` lists the targets.

OTEL_VERSION     := v0.161.0
GOLANGCI_VERSION := v2.15.0
GOVULNCHECK_VERSION := v1.9.0
TYPESCRIPT       := 7.0.2
BINARY           := otelcol-psutil
BUILD_DIR        := build/$(BINARY)
PACKAGES         := ./...
BPF_DIR          := psutilreceiver/internal/process/read/bpf
UNIT              = $(shell go list ./... | grep -v /e2e/) ./e2e/harness/...
# The modules besides that of the root: tools and comparisons that users of the components never download.
MODULES           = $(or $(patsubst %/go.mod,%,$(shell git ls-files '*/go.mod')),$(error the modules are found by git))
CROSS            := darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 freebsd/amd64 linux/arm64

GO_FILES := $(shell git ls-files --cached --others --exclude-standard '*.go' 'go.mod' 'go.sum' 'hostpageexporter/web/dist/*' 'liveprovider/*.yaml' 2>/dev/null)

.PHONY: help
help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: $(BINARY) ## Build the distribution: leaves ./otelcol-psutil.

# ocb writes the sources of the distribution; go then compiles them, with a count to look at, for the first time takes minutes.
$(BINARY): builder-config.yaml $(GO_FILES)
	@mkdir -p $(BUILD_DIR)
	@echo "Writing the sources of $(BINARY) (ocb $(OTEL_VERSION), downloads modules the first time)"
	@go run go.opentelemetry.io/collector/cmd/builder@$(OTEL_VERSION) --config builder-config.yaml --skip-compilation 2>$(BUILD_DIR)/ocb.log \
		|| { cat $(BUILD_DIR)/ocb.log; exit 1; }
	@echo "Compiling $(BINARY) (about 1,500 packages the first time, few after that)"
	@./hack/build.sh $(BUILD_DIR) $(CURDIR)/$(BINARY)

.PHONY: run
run: build hosttop ## Build if needed, and show this host: a page in the browser, and the same in the terminal.
	@./hack/run.sh ./$(BINARY) ./hosttop build/run.log

.PHONY: test
test: build unit ## Run all tests: those of the packages with the race detector, then the end-to-end tests on the built binary.
	@$(MAKE) --no-print-directory e2e E2E_REQUIRE_SERVERS=$(E2E_REQUIRE_SERVERS)

.PHONY: unit
unit: ## Run the tests of the packages with the race detector.
	@echo "go test -race -shuffle=on ./... (without the end-to-end tests)"
	@go test -race -shuffle=on -timeout 30m $(UNIT)

# The servers are Debian's prometheus, prometheus-alertmanager and influxdb. `make test` skips what needs one that is not installed.
# Four of the packages run side by side, for they wait most of the time. What disturbs others stays within one: the CPUs are kept busy for two
# seconds each in alerts and truth, and what these compare with the kernel holds whatever else runs.
.PHONY: e2e
e2e: E2E_REQUIRE_SERVERS ?= 1
e2e: build build/prometheus3 ## Run the end-to-end tests on the built binary, against real Prometheus, Alertmanager and InfluxDB servers, which must be installed.
	E2E_REQUIRE_SERVERS=$(E2E_REQUIRE_SERVERS) OTELCOL_PSUTIL=$(CURDIR)/$(BINARY) go test -count=1 -timeout 20m -p 4 ./e2e/...

# Debian's Prometheus takes no OTLP. Without its plugins for service discovery and its user interface, which are not needed, it builds from its module.
build/prometheus3: e2e/prometheus3/go.mod
	@mkdir -p build
	@echo "Building Prometheus 3 (some minutes the first time)"
	@cd e2e/prometheus3 && go build -tags remove_all_sd -o $(CURDIR)/$@ github.com/prometheus/prometheus/cmd/prometheus

.PHONY: compat
compat: build build/prometheus3 bench/build/hostmetrics/otelcol-hostmetrics ## Run the receiver and hostmetricsreceiver side by side, and compare every series (docs/migrating.md).
	cd bench && OTELCOL_PSUTIL=$(CURDIR)/$(BINARY) go test -count=1 -timeout 20m -v ./compat

bench/build/hostmetrics/otelcol-hostmetrics: bench/hostmetrics/builder-config.yaml
	@mkdir -p bench/build
	@echo "Building a Collector with hostmetricsreceiver (about a minute the first time)"
	@go run go.opentelemetry.io/collector/cmd/builder@v0.159.0 --config bench/hostmetrics/builder-config.yaml 2>bench/build/hostmetrics.log \
		|| { cat bench/build/hostmetrics.log; exit 1; }

.PHONY: lifecycle
lifecycle: ## Start and stop the alert components in a real Collector service in 500 orders, in a module of its own.
	cd internal/alertpipe/lifecycle && go test -race ./...

.PHONY: crosscheck
crosscheck: ## Compare the deltas with those of the Collector's cumulativetodelta processor, in a module of its own.
	cd psutilreceiver/internal/stream/crosscheck && go test -race ./...

.PHONY: oracle
oracle: ## Compare the alert engine with Prometheus' rules engine on 10,000 random rules, in a module of its own.
	cd internal/alert/oracle && go test -timeout 30m ./...

.PHONY: alertcheck
alertcheck: ## Build the command that checks and tests alert rules: leaves ./alertcheck.
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o alertcheck ./cmd/alertcheck

.PHONY: hosttop
hosttop: ## Build the terminal client of the page: leaves ./hosttop.
	cd cmd/hosttop && CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o $(CURDIR)/hosttop .

.PHONY: hosttop-test
hosttop-test: ## Test the terminal client, a module of its own.
	cd cmd/hosttop && go test -race ./...

# The tests need Debian's chromium, and are skipped without it unless PAGE_REQUIRE_CHROMIUM=1.
.PHONY: page-test
page-test: build ## Test the page in a real browser, in a module of its own.
	cd hostpageexporter/web/bundle && go test ./...
	cd hostpageexporter/web/browsertest && OTELCOL_PSUTIL=$(CURDIR)/$(BINARY) REQUIRE_CHROMIUM=$(PAGE_REQUIRE_CHROMIUM) go test -count=1 -timeout 20m ./...

.PHONY: page-lint
page-lint: ## Check the types of the page, by TypeScript's compiler from npm.
	npx --yes --package typescript@$(TYPESCRIPT) tsc --noEmit --project hostpageexporter/web

.PHONY: generate
generate: ## Write the generated files again, but for those of `make bpf`.
	go generate -skip bpf2go $(PACKAGES)
	@for module in . $(MODULES); do echo "go mod tidy ($$module)"; (cd $$module && go mod tidy) || exit 1; done
	@gofmt -w $(shell git ls-files '*.go')

.PHONY: check-generate
check-generate: generate ## Fail if generated files, go.mod or formatting are not up to date.
	git diff --exit-code

.PHONY: bpf
bpf: ## Compile the BPF programs again, by clang 14 with Debian's libbpf-dev: leaves their objects beside them.
	go generate -run bpf2go ./$(BPF_DIR)

.PHONY: check-bpf
check-bpf: ## Fail if the BPF objects are not what their source compiles to. Without clang 14 that is skipped, unless BPF_REQUIRE_CLANG=1.
	@./hack/check-bpf.sh $(BPF_DIR)

.PHONY: balancer
balancer: ## Build the Collector that spreads hosts over gateways (docs/scaling.md).
	@mkdir -p build
	go run go.opentelemetry.io/collector/cmd/builder@$(OTEL_VERSION) --config distributions/loadbalancing/builder-config.yaml

.PHONY: full
full: ## Build the distribution with the prometheus receiver: leaves ./otelcol-psutil-full (README.md says what it has).
	@mkdir -p build/full
	go run go.opentelemetry.io/collector/cmd/builder@$(OTEL_VERSION) --config distributions/full/builder-config.yaml --skip-compilation
	@./hack/build.sh build/full $(CURDIR)/otelcol-psutil-full

.PHONY: soak
soak: build ## Run everything at once for fifty minutes, and see that nothing grows in the last thirty (bench/README.md).
	cd bench && go run ./soak -binary $(CURDIR)/$(BINARY)

# The database is that of vuln.go.dev, or a copy of it: VULNDB=file:///path/vulndb.
.PHONY: vulncheck
vulncheck: VULNDB ?= https://vuln.go.dev
vulncheck: build ## Look for known vulnerabilities in the distribution and the tools. It needs a network, or VULNDB (SECURITY.md).
	@for dir in . $(BUILD_DIR) cmd/hosttop; do \
		echo "govulncheck ./... ($$dir)"; \
		(cd $$dir && go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) -db $(VULNDB) ./...) || exit 1; \
	done

.PHONY: packages
packages: build alertcheck hosttop ## Build the .deb and the .rpm: leaves them in ./dist.
	./packaging/package.sh $(CURDIR)/$(BINARY) $(CURDIR)/alertcheck $(CURDIR)/hosttop dist

.PHONY: packaging-test
packaging-test: build ## Test what runs the binary permanently: unit, packages, image, manifests. As root all of it, else what needs no root.
	cd packaging && OTELCOL_PSUTIL=$(CURDIR)/$(BINARY) go test -count=1 ./...

# What the tests need they install: Debian's emulator and kernels (vmtest/README.md).
.PHONY: vmtest
vmtest: build ## Boot two kernels in virtual machines, plug and unplug, set clocks, and hold every metric against the kernel (vmtest/README.md).
	./vmtest/install.sh
	cd vmtest && go vet ./... && go test ./points && OTELCOL_PSUTIL=$(CURDIR)/$(BINARY) go test -v -count=1 -timeout 30m .

.PHONY: vmtest-smoke
vmtest-smoke: build ## The same with one kernel.
	./vmtest/install.sh
	cd vmtest && OTELCOL_PSUTIL=$(CURDIR)/$(BINARY) go test -v -count=1 -timeout 20m -run '^TestSmoke$$/^6.12$$' .

.PHONY: vmtest-all
vmtest-all: build alertcheck hosttop ## As vmtest, and memory that is plugged in, a storm of forks, and the package under systemd. As root, or without the last.
	./vmtest/install.sh
	rm -rf build/vmtest/packages
	VERSION=0.0.1 ./packaging/package.sh $(BINARY) alertcheck hosttop build/vmtest/packages/old
	./packaging/package.sh $(BINARY) alertcheck hosttop build/vmtest/packages/new
	cd vmtest && go vet ./... && go test ./points && OTELCOL_PSUTIL=$(CURDIR)/$(BINARY) VMTEST_ALL=1 \
		VMTEST_PACKAGES=$(CURDIR)/build/vmtest/packages go test -v -count=1 -timeout 60m .

.PHONY: vmtest-bpf
vmtest-bpf: build ## The reader of processes by BPF in three kernels (5.10, 6.1, 6.12), held against /proc and against parents of what ended.
	./vmtest/install.sh
	cd vmtest && go vet ./... && OTELCOL_PSUTIL=$(CURDIR)/$(BINARY) VMTEST_BPF=1 go test -v -count=1 -timeout 60m -run '^TestProcessReader$$' .

.PHONY: process-bracket
process-bracket: ## A million processes read by BPF, each between two readings by /proc; a storm of 50,000 ends; 100 starts. As root; about half an hour.
	PROCESS_SCRAPES=1000000 STORM_PROCESSES=50000 READER_STARTS=100 go test -v -count=1 -timeout 120m -run 'EachValue|Storm|NothingIsLeft' \
		./psutilreceiver/internal/process/read/bpf

.PHONY: lint
lint: ## Run the linters, go vet among them, in every module.
	@for module in . $(MODULES); do \
		echo "golangci-lint run ./... ($$module)"; \
		(cd $$module && go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION) run $(PACKAGES)) || exit 1; \
	done

.PHONY: cross
cross: ## Build and vet the components for the other systems.
	@for target in $(CROSS); do \
		echo "$$target"; \
		GOOS=$${target%/*} GOARCH=$${target#*/} CGO_ENABLED=0 go vet $(PACKAGES) || exit 1; \
	done

.PHONY: golden
golden: ## Write the golden files again from the fixture hosts.
	go test ./psutilreceiver/ -run TestGolden -update

.PHONY: bench
bench: ## Measure a scrape beside hostmetricsreceiver, about half an hour (bench/README.md).
	./bench/run.sh

.PHONY: fuzz
fuzz: ## Fuzz every parser and decoder, 20 seconds each, one for each CPU at a time.
	./hack/fuzz.sh 20s

.PHONY: clean
clean: ## Remove what was built.
	rm -rf build dist $(BINARY) otelcol-psutil-full alertcheck hosttop quickstart-data
