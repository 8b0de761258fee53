# mk/conformance.mk - our programs held against recorded behaviour.
#
#	make conformance FIXTURES=DIR    one line a group; DIR may be any path
#
# See tests/conformance/run for what a group is, docs/differences.md for what is listed.

.PHONY: conformance
conformance: programs
	$(if $(FIXTURES),,$(error say where the recorded behaviour is: make conformance FIXTURES=DIR))
	$(quiet)tests/conformance/run $(if $(filter 1,$(V)),-v) '$(FIXTURES)' '$(B)/bin'
