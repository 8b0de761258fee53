# tools/boot/boot.mk - the platform in QEMU, for a person.
#
#	make boot                  boot output/platform-latest on this terminal
#	make boot BOOT='-m 4096'   with options; tools/boot/run -h lists them

BOOT	?=

.PHONY: boot
boot:
	@BUILD=$(BUILD) OUTPUT=$(OUTPUT) tools/boot/run $(BOOT)
