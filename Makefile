# ioworkload: fixtures for syscall tracers. `make help` shows what there is.

## directory of the target files, fixed in the programs when they are built
FIXTURE_TMP ?= /tmp
## one scenario instead of all; record, trace and vm-trace need one
SCENARIO ?=
## trace, loss: strace; as root also perf, ftrace, bpftrace; for trace also ptrace
TRACER ?= strace
## where install puts things
PREFIX ?= /usr/local
## install: goes in front of PREFIX, for packagers
DESTDIR ?=
## where everything is built, for cargo too
CARGO_TARGET_DIR ?= target
## torture: runs of each scenario under load; other areas take a multiple or a part of it
COUNT ?= 10000
## torture: after so many minutes nothing is begun beyond what test does
MINUTES ?= 120
## loss: how many calls are made
N ?= 1000000
## loss: KiB of the tracer's buffer per CPU, if not the usual
BUFFER ?=
## attach: how often each tracer attaches
RUNS ?= 200
## the cargo that builds
CARGO ?= cargo
## vm, vm-trace: a bzImage, by a path with a slash in it, or a suite of Debian's
KERNEL ?= bookworm
## vm, vm-trace, vm-matrix: MiB of memory
MEM ?= 256
## the same: processors
CPUS ?= 1
## the same: seconds, then the machine is turned off
TIMEOUT ?= 240
## the same: the program
QEMU ?= qemu-system-x86_64
## vm-matrix: what it boots
KERNELS ?= bullseye bookworm trixie sid
## image: what it is called
IMAGE ?= ioworkload

VARIABLES := $(shell sed -n 's/^\([A-Z_]*\) ?=.*/\1/p' Makefile)
# For the shell, which alone knows how to quote it: it may have blanks in it.
export CARGO_TARGET_DIR
BUILD := "$$CARGO_TARGET_DIR"
PROGRAMS := $(shell sed -n 's/^    { name = "\([a-z0-9-]*\)".*/\1/p' Cargo.toml)
FIXTURES := $(filter-out ioworkload init,$(PROGRAMS))
TOOL := $(CARGO) run --quiet --locked -p ioworkload-tests --bin tool --
TESTS := $(CARGO) test --no-fail-fast --locked -p ioworkload-tests

# What stands above a variable's line.
meaning = $$(awk '/^\#\# / { text = substr($$0, 4) } /^$(1) [?]=/ { print text }' Makefile)

.DEFAULT_GOAL := all
.PHONY: help all judge prove run trace record initramfs vm vm-trace vm-matrix rootfs image container-test check test torture attach coverage loss bench unsafe lint deps clean install uninstall dist deb
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

help: ## show this
	@echo 'ioworkload: programs that make exactly the syscalls they say'
	@echo
	@echo 'Targets:'
	@awk -F ':[^#]*## ' '/^[a-z-]+:[^#]*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'Variables, with their present values (make NAME=VALUE):'
	@$(foreach variable,$(VARIABLES),printf '  %-11s = %-18s  %s\n' '$(variable)' '$($(variable))' "$(call meaning,$(variable))";)

all: need-build ## build every program into target/fixtures/ (what plain `make` does)
	@FIXTURE_TMP='$(FIXTURE_TMP)' $(CARGO) build --locked --release -p ioworkload
	@mkdir -p $(BUILD)/fixtures
	@for program in $(PROGRAMS); do $(finish) || exit; done

# A program is its one segment (linker.ld). The linker leaves room for section headers after it: cut it off,
# at the size that the first program header states. The file gets its name when it is whole, and everybody may run it.
finish = from=$(BUILD)/x86_64-unknown-linux-gnu/release/$$program to=$(BUILD)/fixtures/$$program; \
	if ! test "$$to" -nt "$$from" || ! test "$$to" -nt Makefile; then \
		part=$$to.$$$$; \
		cp "$$from" "$$part" && truncate -s "$$(od -An -tu8 -j96 -N8 "$$from" | tr -d ' ')" "$$part" && \
		chmod 755 "$$part" && mv "$$part" "$$to"; fi

# Linked statically, so that one file is all of it. Its flags replace those of .cargo/config.toml, and are separated
# as cargo wants them where a path may have blanks; no path of this machine gets into the file.
judge: all ## build target/ioworkload-check, which judges tracers: one file with all in it
	@CARGO_ENCODED_RUSTFLAGS="$$(printf '%s\037%s\037%s\037%s' -Ctarget-feature=+crt-static -Crelocation-model=static \
		"--remap-path-prefix=$${CARGO_HOME:-$${HOME:-/root}/.cargo}=cargo" "--remap-path-prefix=$$PWD=.")" \
		$(CARGO) build --locked --profile judge --target-dir $(BUILD)/judge -p ioworkload-check --bin ioworkload-check
	@from=$(BUILD)/judge/x86_64-unknown-linux-gnu/judge/ioworkload-check to=$(BUILD)/ioworkload-check; \
		cmp -s "$$from" "$$to" || { cp "$$from" "$$to.$$$$" && chmod 755 "$$to.$$$$" && mv "$$to.$$$$" "$$to"; }

PROVE = $(CARGO) run --quiet --locked --profile judge -p ioworkload-check --example

prove: all ## prove from the finished files that they make the calls of their traces, whatever the kernel answers
	@$(PROVE) prove -- $(BUILD)/fixtures $(SCENARIO)

run: judge need-run ## run every scenario under strace and judge what it saw; SCENARIO=… shows that one's calls
	@$(BUILD)/ioworkload-check run $(SCENARIO) -- strace -f -e raw=all -o {events} {fixture}
	$(if $(SCENARIO),@strace -f -s 4096 $(BUILD)/fixtures/$(SCENARIO))

trace: all need-trace ## show what TRACER sees of SCENARIO next to what is expected
	@$(TOOL) trace '$(SCENARIO)' '$(TRACER)'

record: all ## propose an expected trace of SCENARIO, and show in what it differs from the file
	@$(TOOL) record '$(SCENARIO)'

NEED_VM = $(if $(filter qemu-system-x86_64,$(QEMU)),need-vm,need-build)
MACHINE = --qemu '$(QEMU)' --memory '$(MEM)' --cpus '$(CPUS)' --timeout '$(TIMEOUT)'

initramfs: all ## build target/ioworkload.cpio.gz: a kernel with it runs every scenario
	@$(TOOL) initramfs $(BUILD)/ioworkload.cpio.gz

vm: all $(NEED_VM) ## boot KERNEL in QEMU, run every scenario (or SCENARIO), report in KTAP
	@$(TOOL) vm $(MACHINE) --kernel '$(KERNEL)' $(SCENARIO)

vm-trace: all $(NEED_VM) ## boot straight into SCENARIO and compare what the kernel sees
	@$(TOOL) vm-trace $(MACHINE) --kernel '$(KERNEL)' $(SCENARIO)

vm-matrix: all $(NEED_VM) ## both of these, for every scenario on KERNELS
	@$(TOOL) vm-matrix $(MACHINE) $(KERNELS)

rootfs: all ## build target/container/rootfs.tar: the programs and /tmp
	@mkdir -p $(BUILD)/container
	@$(TOOL) rootfs $(BUILD)/container/rootfs.tar

BUILDER = $(shell for tool in podman docker buildah; do command -v $$tool && break; done)
image: rootfs $(if $(BUILDER),,need-image) ## build IMAGE from that and nothing else, by podman, docker or buildah
	@$(BUILDER) build --quiet --label org.opencontainers.image.version=$(VERSION) \
		--tag '$(IMAGE)' --file src/package/Containerfile $(BUILD)/container

# What `check` runs, and what of it gives each fixture a /tmp of its own, which takes a namespace.
CHECK := $(addprefix --test ,catalogue compare elf format parser text)
CHECK_TMP := $(addprefix --test ,ends expect trace)
OWN_TMP = unshare $$(test "$$(id -u)" = 0 || echo --user) --mount true 2>/dev/null

# The tests are about the files as they are without any setting.
container-test check test torture attach bench: override FIXTURE_TMP = /tmp

container-test: all need-container ## run the tests of containers
	@$(TESTS) --test container

check: all need-check ## a minute of tests, without root and tools but strace: no other witness, no VM, container or fault
	@if $(OWN_TMP) || test "$$CI" = true; then $(TESTS) $(CHECK) $(CHECK_TMP); \
	else $(TESTS) $(CHECK) && echo 'make check: SKIPPED, for this user can mount no /tmp of its own: $(CHECK_TMP)' >&2; fi

test: judge need-test ## build, and run every test
	@$(TESTS) -p ioworkload-check

torture: all need-test ## the fault suite in its long form: COUNT, MINUTES
	@TORTURE_COUNT='$(COUNT)' TORTURE_MINUTES='$(MINUTES)' $(TESTS) --profile torture --test hostile

attach: all need-test ## attach tracers to a waiting workload, RUNS times each, slowed down at random
	@ATTACH_RUNS='$(RUNS)' $(TESTS) --test attach

coverage: need-cargo ## write the README's tables of what the scenarios cover
	@$(TOOL) coverage

loss: all need-trace ## count what TRACER loses of N calls, each with a number of its own; BUFFER
	@$(TOOL) loss '$(TRACER)' '$(N)' $(BUFFER)

bench: all need-bench ## measure what fixtures cost, beside other languages; draws README and tests/bench/ anew
	@$(CARGO) run --quiet --locked -p ioworkload-tests --bin bench

unsafe: need-cargo ## list every unsafe of the source, with its reason
	@$(TOOL) unsafe

lint: need-lint ## rustfmt and clippy, warnings as errors
	@$(CARGO) fmt --all --check
	@rustfmt --check --edition 2024 tests/programs/*.rs tests/peers/*.rs # of no package
	@$(CARGO) clippy --quiet --locked --workspace --all-targets -- -D warnings

deps: need-build need-run need-vm need-test ## install what building, running and testing need

clean: ## remove target/
	@rm -rf $(BUILD)

include src/package/package.mk

# What a goal needs: the file or command that must be there, and the Debian package that brings it.
NEEDS_build = cc:gcc /usr/include/linux/aio_abi.h:libc6-dev
NEEDS_run = strace:strace
NEEDS_check = $(NEEDS_build) $(NEEDS_run)
NEEDS_vm = $(NEEDS_build) qemu-system-x86_64:qemu-system-x86
NEEDS_test = git:git strace:strace perf:linux-perf bpftrace:bpftrace man:man-db python3:python3 xz:xz-utils go:golang-go $(NEEDS_vm) chattr:e2fsprogs mkfs.xfs:xfsprogs mkfs.btrfs:btrfs-progs bindfs:bindfs mount:mount valgrind:valgrind gdb:gdb $(NEEDS_container) $(NEEDS_deb)
NEEDS_trace = $(filter $(TRACER):%,$(NEEDS_test))
NEEDS_image = podman:podman
NEEDS_container = $(NEEDS_build) $(NEEDS_image) strace:strace runc:runc \
	/usr/share/containers/seccomp.json:golang-github-containers-common
NEEDS_deb = dpkg-deb:dpkg
NEEDS_lint = $(NEEDS_build)
NEEDS_bench = $(NEEDS_build) strace:strace musl-gcc:musl-tools go:golang-go
.PHONY: need-build need-run need-trace need-vm need-check need-test need-image need-container need-deb need-lint need-bench
need-build need-run need-trace need-vm need-check need-test need-image need-container need-deb need-lint need-bench: need-%: need-cargo
	@missing=; for need in $(sort $(NEEDS_$*)); do \
		command -v "$${need%%:*}" >/dev/null || test -e "$${need%%:*}" || missing="$$missing $${need#*:}"; \
	done; \
	test -n "$$missing" || exit 0; \
	if test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null; then \
		echo "make: missing:$$missing (as root on Debian, make installs it: apt-get install$$missing)" >&2; exit 1; \
	fi; \
	echo "make: installing$$missing"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $$missing >/dev/null

.PHONY: need-cargo
need-cargo:
	@command -v $(CARGO) >/dev/null || { echo 'make: missing: cargo. Install Rust 1.95 or newer with rustup' >&2; exit 1; }
