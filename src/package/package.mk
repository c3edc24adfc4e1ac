# From the built files to a release: one tree, laid out as it is installed. `install` copies it, `dist` packs it and
# `deb` wraps it; what is packed is the same, bit for bit, wherever, whenever and by whomever that is done.

VERSION = $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml)
# Of the README's newest entry about changes: every file of a release bears this date.
DATE = $(shell sed -n '/^### [0-9.]*, /{s/.*, //p;q}' README.md)
PACKAGE := $(BUILD)/package
TREE := $(PACKAGE)/tree
PACK = CARGO='$(CARGO)' VERSION=$(VERSION) DATE=$(DATE)

FILES = bin/ioworkload $(FIXTURES:%=libexec/ioworkload/%) $(FIXTURES:%=share/ioworkload/expected/%.json) \
	share/ioworkload/expected-trace.schema.json share/man/man1/ioworkload.1 \
	$(addprefix share/doc/ioworkload/,CHANGES.md LICENSE-APACHE LICENSE-MIT LICENSES-OF-CRATES README.md $(LINKED))
# What the README leads to, where it looks for it.
LINKED := $(sort $(wildcard tests/bench/*.svg tests/examples/*))
DIRECTORIES := libexec/ioworkload share/ioworkload/expected share/ioworkload \
	$(addprefix share/doc/ioworkload,/tests/bench /tests/examples /tests) share/doc/ioworkload

.PHONY: tree
tree: all
	@$(PACK) LINKED='$(LINKED)' src/package/tree $(TREE) $(FIXTURES)

install: tree ## copy programs, expected traces, manual page and documents to PREFIX
	@for file in $(FILES); do \
		install -D -m "$$(stat -c %a $(TREE)/$$file)" $(TREE)/$$file '$(DESTDIR)$(PREFIX)'/$$file || exit; \
	done

uninstall: ## remove from PREFIX what install copies there
	@cd '$(DESTDIR)$(PREFIX)' && rm -f $(FILES) && for directory in $(DIRECTORIES); do \
		test ! -d $$directory || rmdir --ignore-fail-on-non-empty $$directory || exit; \
	done

dist: tree ## pack the same into a tarball, with its SHA256SUMS
	@$(PACK) src/package/tarball $(TREE) $(PACKAGE)/ioworkload-$(VERSION)-x86_64-linux

deb: need-deb tree ## wrap the same into a Debian package
	@$(PACK) src/package/deb $(TREE) $(PACKAGE)/ioworkload_$(VERSION)_amd64
