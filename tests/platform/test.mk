# tests/platform/test.mk - the platform in QEMU, for tests and for a first look.
#
#	make platform-test         boot output/platform-latest and put it through its paces
#	make platform-test T=NAME  only tests/platform/*NAME*.t
#	make driver-test           build one with a driver from outside, boot it and look
#	make demo                  boot it and show a zone

.PHONY: platform-test driver-test demo
platform-test:
	@BUILD=$(BUILD) OUTPUT=$(OUTPUT) tests/run platform $(sort $(filter-out %/driver.t,$(wildcard tests/platform/*$(T)*.t)))

# A platform of its own, so none of those above.
driver-test:
	@BUILD=$(BUILD) MAKE='$(MAKE)' tests/platform/driver-image

demo:
	@BUILD=$(BUILD) OUTPUT=$(OUTPUT) tests/platform/demo
