# mk/conformance.mk - our programs held against recorded behaviour.
#
#	make conformance FIXTURES=DIR    one line a group; DIR may be any path
#	make conformance FIXTURES=DIR V=1    also what is listed
#
# See tests/conformance/run for what a group is, docs/differences.md for what is listed.

ifneq ($(filter conformance,$(MAKECMDGOALS)),)
ifeq ($(FIXTURES),)
$(error say where the recorded behaviour is: make conformance FIXTURES=DIR)
endif
endif

.PHONY: conformance
conformance: programs judges
	$(quiet)tests/conformance/run $(if $(filter 1,$(V)),-v) '$(FIXTURES)' '$(B)/bin'
