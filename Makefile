# make demo and make test are all that a fresh Debian 12 machine needs.
PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= $(shell command -v swift 2>/dev/null || echo /opt/swift/usr/bin/swift)
FLAGS := -c release --explicit-target-dependency-import-check error
PACKAGES := libjpeg-dev liblcms2-dev libopenblas0 libpng-dev libraw-dev libsqlite3-dev libtiff-dev
# Tests see internals, which the product's build keeps closed, so they have a build of their own.
TEST_FLAGS := $(FLAGS) -Xswiftc -enable-testing --scratch-path .build/testing
BINARY := .build/release/denoised
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: build test soak demo install format deps clean

build: deps
	$(SWIFT) build $(FLAGS) --product denoised

# Quiet when everything is there: no root is needed then.
deps:
	@command -v $(SWIFT) >/dev/null || { echo "Swift 6.2 or later is needed: see https://www.swift.org/install/linux/"; exit 1; }
	@missing=$$(for p in $(PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq $$missing; fi

# Faults are put into system calls by strace.
test soak: PACKAGES += strace

test: deps
	$(SWIFT) build $(TEST_FLAGS) --build-tests
	$(SWIFT) test $(TEST_FLAGS) --skip-build

# Hours: a kill, a full disk and an error of the disk before every single write, losses of power, thousands of damaged
# files and ledgers, ten thousand at once, and more than the kernel's queue of events holds. In pieces: "make soak
# SOAK=CrashTests SHARE=2/5" tries the second fifth of what this suite tries.
SOAK ?= CrashTests|PowerLossTests|FullDiskTests|ArrivalTests|OverflowTests|DamagedFileTests|DamagedLedgerTests|StopTests
SHARE ?= 1
soak: deps
	$(SWIFT) build $(TEST_FLAGS) --build-tests
	DENOISED_SOAK=$(SHARE) $(SWIFT) test $(TEST_FLAGS) --skip-build --filter '$(SOAK)'

demo: build
	Demo/run.sh $(BINARY)

DATA := $(DESTDIR)$(PREFIX)/share
LIBRARY := $(DESTDIR)$(PREFIX)/lib

# An existing configuration is kept. Afterwards, as root:
# systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload && systemctl enable --now denoised
install: build
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/denoised
	install -D -m 644 -t $(DATA)/denoised/models Sources/Denoising/Models/*
	install -D -m 644 systemd/denoised.1 $(DATA)/man/man1/denoised.1
	install -d $(LIBRARY)/systemd/system
	sed 's|^ExecStart=/usr/local/|ExecStart=$(PREFIX)/|' systemd/denoised.service > $(LIBRARY)/systemd/system/denoised.service
	install -D -m 644 -t $(DATA)/doc/denoised/examples systemd/examples/*
	install -D -m 644 systemd/denoised.sysusers $(LIBRARY)/sysusers.d/denoised.conf
	install -D -m 644 systemd/denoised.tmpfiles $(LIBRARY)/tmpfiles.d/denoised.conf
	test -e $(DESTDIR)/etc/denoised/denoised.yaml || install -D -m 644 systemd/denoised.yaml $(DESTDIR)/etc/denoised/denoised.yaml

format:
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests

clean:
	rm -rf .build demo
