# FastMesh: everything a contributor or packager types. `make help` lists it.

PREFIX        ?= /usr/local
DESTDIR       ?=
CONFIGURATION ?= Release
AOT           ?= auto
RID           ?= $(if $(filter aarch64 arm64,$(shell uname -m)),linux-arm64,linux-x64)

PROGRAM    := artifacts/fastmesh
LIBDIR      = $(PREFIX)/lib/fastmesh
SBINDIR     = $(PREFIX)/sbin
MANDIR      = $(PREFIX)/share/man/man8
COMPLETIONS = $(PREFIX)/share/bash-completion/completions
UNITDIR     = $(PREFIX)/lib/systemd/system

.DEFAULT_GOAL := build
.PHONY: help build demo test bench compare perf install format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## the program, at artifacts/fastmesh/fastmesh: one native file; AOT=no: assemblies for servers that have .NET 10
	AOT=$(AOT) CONFIGURATION=$(CONFIGURATION) RID=$(RID) scripts/publish.sh $(PROGRAM)

demo: build ## three servers in namespaces, the tutorial's configuration, pings and iperf3 (root)
	scripts/demo.sh

test: ## every test; as root also those against real tincd, with their packages installed
	CONFIGURATION=$(CONFIGURATION) scripts/test.sh

bench: ## all micro benchmarks in short, against their budgets; BENCH=Shard some, BENCH=scaling, BENCH="--full" thoroughly
	scripts/require-dotnet.sh
	dotnet run -c Release --project bench/FastMesh.Bench -- $(BENCH)

compare: build ## throughput, packets and latency next to tincd and other peers (root)
	perf-scripts/compare.sh $(COMPARE)

perf: build ## every measurement, into docs/PERFORMANCE.md and README.md (root, a quiet machine, 25 minutes)
	perf-scripts/all.sh

install: ## PREFIX=/usr/local DESTDIR=; builds first if there is no program yet
	test -x $(PROGRAM)/fastmesh || $(MAKE) build
	install -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(SBINDIR)
	cp -R $(PROGRAM)/* $(DESTDIR)$(LIBDIR)/
	ln -sfn ../lib/fastmesh/fastmesh $(DESTDIR)$(SBINDIR)/fastmesh
	for page in $(wildcard docs/*.8); do install -D -m 644 $$page $(DESTDIR)$(MANDIR)/$$(basename $$page); done
	install -D -m 644 dist/fastmesh.bash-completion $(DESTDIR)$(COMPLETIONS)/fastmesh
	for unit in $(wildcard dist/*.service); do \
	  install -d $(DESTDIR)$(UNITDIR); \
	  sed 's,/usr/sbin/fastmesh,$(SBINDIR)/fastmesh,g' $$unit >$(DESTDIR)$(UNITDIR)/$$(basename $$unit); done

format: ## rewrites sources to the house style
	scripts/require-dotnet.sh
	dotnet format FastMesh.sln

clean: ## removes what was built
	rm -rf artifacts src/*/bin src/*/obj tests/*/bin tests/*/obj bench/*/bin bench/*/obj
