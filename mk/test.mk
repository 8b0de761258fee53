# mk/test.mk - make test, make fuzz, make bench.
#
#	make test                  unit, cli and host tests, one line of time each
#	make test-unit             (test-cli, test-host) one of the steps
#	make test-cli T=PATTERN    only tests/cli/*PATTERN*.t
#	make fuzz FUZZ_SECONDS=60  each fuzzer for so long, over its corpus
#	make soak SOAK_OPS=N       the model tests with N operations each, every system call that
#	                           can fail, a kill at each step of an import, the disk image
#	                           (make image-test), and each fuzzer for longer
#	make bench T=PATTERN       tests/bench/*PATTERN*.sh, with release programs; as root
#
# Unit tests and the programs that the others run are made in dev mode, with
# ASan and UBSan; the tests find the programs by DAIS_BIN. With CI=true a skip
# that tests/skips.allowed does not list is a failure.

FUZZ_SECONDS ?= 20
FUZZ_CC	     ?= clang
SOAK_OPS     ?= 10000
T	     ?=
TEST_STEPS   := unit cli host

.PHONY: test fuzz fuzz-run soak bench $(addprefix test-,$(TEST_STEPS))

test:
	+@tests/run --steps $(TEST_STEPS) -- $(MAKE) --no-print-directory

test-unit: export CMOCKA_MESSAGE_OUTPUT := TAP
test-unit:
	+@$(MAKE) --no-print-directory MODE=dev unit-programs
	@$(RUN_ENV) tests/run unit $(addprefix $(BUILD)/dev/check/,$(UNITS))
	@$(if $(FUZZERS),tests/run --corpus $(BUILD)/dev/check $(FUZZERS))

test-cli test-host: test-%:
	+@$(MAKE) --no-print-directory MODE=dev programs judges
	@DAIS_BIN=$(abspath $(BUILD))/dev/bin tests/run $* $(sort $(wildcard tests/$*/*$(T)*.t))

fuzz:
	+@$(MAKE) --no-print-directory MODE=fuzz CC=$(FUZZ_CC) fuzz-run

fuzz-run: $(addprefix $(B)/check/,$(FUZZERS))
	@tests/run --fuzz $(B) $(FUZZ_SECONDS) $(FUZZERS)

soak:
	+@$(MAKE) --no-print-directory MODE=dev programs
	@DAIS_BIN=$(abspath $(BUILD))/dev/bin MODEL_OPS=$(SOAK_OPS) MODEL_SEED=$$(date +%s) \
		SYSCALL_EVERY=1 KILL_EVERY=1 VANISH_EVERY=1 \
		tests/run host $(wildcard tests/host/*model*.t tests/host/*_syscalls.t \
			tests/host/imgadm_import_kill.t tests/host/vmadm_vanish.t)
	+@$(MAKE) --no-print-directory image-test
	+@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=$$((FUZZ_SECONDS * 15))

bench:
	+@$(MAKE) --no-print-directory MODE=release programs
	@failed=; for b in $(sort $(wildcard tests/bench/*$(T)*.sh)); do \
		echo "== $$b"; \
		DAIS_BIN=$(abspath $(BUILD))/bin DAIS_IMAGES=$(abspath $(BUILD))/images \
			bash $$b $(abspath $(BUILD))/bin || failed="$$failed $$b"; \
	done; [ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }
