# tests/platform/test.mk - the platform in QEMU, for tests and for a first look.
#
#	make platform-test         boot output/platform-latest and put it through its paces
#	make platform-test T=NAME  only tests/platform/*NAME*.t
#	make demo                  boot it and show a zone

.PHONY: platform-test demo
platform-test:
	@BUILD=$(BUILD) OUTPUT=$(OUTPUT) tests/run platform $(sort $(wildcard tests/platform/*$(T)*.t))

demo:
	@BUILD=$(BUILD) OUTPUT=$(OUTPUT) tests/platform/demo
