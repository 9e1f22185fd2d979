# FastMesh: everything a contributor or packager types. `make help` lists it.

PREFIX        ?= /usr/local
DESTDIR       ?=
CONFIGURATION ?= Release
AOT           ?= auto
RID           ?= $(if $(filter aarch64 arm64,$(shell uname -m)),linux-arm64,linux-x64)

PROGRAM    := artifacts/fastmesh
LIBDIR      = $(PREFIX)/lib/fastmesh
SBINDIR     = $(PREFIX)/sbin
MANDIR      = $(PREFIX)/share/man
COMPLETIONS = $(PREFIX)/share/bash-completion/completions
ZSHDIR      = $(PREFIX)/share/zsh/site-functions
UNITDIR     = $(PREFIX)/lib/systemd/system
# A program that .NET compiles while it runs (AOT=no) needs memory to write code to.
COMPILES    = $(if $(wildcard $(PROGRAM)/fastmesh.dll),s/^MemoryDenyWriteExecute=yes/MemoryDenyWriteExecute=no/)
VERSION     = $(shell sed -n 's,.*<Version>\(.*\)</Version>.*,\1,p' Directory.Build.props)

.DEFAULT_GOAL := build
.PHONY: help build docs screens demo test bench compare perf install deb dist format clean

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
	rm -rf $(DESTDIR)$(LIBDIR)/*/.debug
	ln -sfn ../lib/fastmesh/fastmesh $(DESTDIR)$(SBINDIR)/fastmesh
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man8 docs/fastmesh.8
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man5 docs/fastmesh.conf.5
	install -D -m 644 dist/fastmesh.bash-completion $(DESTDIR)$(COMPLETIONS)/fastmesh
	install -D -m 644 -t $(DESTDIR)$(ZSHDIR) dist/_fastmesh
	for unit in $(wildcard dist/*.service); do \
	  install -d $(DESTDIR)$(UNITDIR); \
	  sed 's,/usr/sbin/fastmesh,$(SBINDIR)/fastmesh,g; $(COMPILES)' $$unit >$(DESTDIR)$(UNITDIR)/$$(basename $$unit); done

deb: ## Debian packages, for Debian 12 and 13, in artifacts/deb: fastmesh, and fastmesh-tincd, which takes tincd's place
	$(MAKE) build AOT=yes
	scripts/deb.sh

dist: ## artifacts/fastmesh-VERSION-RID.tar.gz: what "make install" installs, to unpack where no package manager is to know of it
	$(MAKE) build AOT=yes
	rm -rf artifacts/dist
	$(MAKE) install DESTDIR=artifacts/dist PREFIX=/usr/local
	install -D -m 644 -t artifacts/dist/usr/local/share/doc/fastmesh README.md CHANGELOG.md LICENSE dist/INSTALL
	tar -c -z -f artifacts/fastmesh-$(VERSION)-$(RID).tar.gz --owner=0 --group=0 -C artifacts/dist usr

docs: ## manual pages and shell completions, from the program's tables and docs/manual
	scripts/require-dotnet.sh
	dotnet run -c $(CONFIGURATION) --project tools/FastMesh.Manual -- .

screens: build ## the pictures of the README, from a real mesh (root)
	scripts/screens.sh

format: ## rewrites sources to the house style
	scripts/require-dotnet.sh
	dotnet format FastMesh.sln

clean: ## removes what was built
	rm -rf artifacts $(foreach kind,src tests bench tools,$(kind)/*/bin $(kind)/*/obj)
