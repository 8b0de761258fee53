# mk/check.mk - make check: what can be said of the sources without running them.
#
# Each check is a target of its own (check-size, ...) and can be seen to fail in
# tests/cli/check_tools.t. A tool that is missing is said and left out; with CI=true
# it is a failure. Another clang-format than the pinned one, which is Debian 12's, has
# other opinions: it is said and left out, as Debian 13 has no package of that one.

CHECKS := layers headers size banned format scripts projects man properties mandoc cppcheck gcc release clang

CLANG_FORMAT	     ?= $(firstword $(wildcard /usr/bin/clang-format-14) clang-format)
CLANG_FORMAT_VERSION := 14
CPPCHECK	     ?= cppcheck
MANDOC		     ?= mandoc

sources	 = $(shell git ls-files -co --exclude-standard -- $(1) 2>/dev/null || find $(2) -type f)
c_files	 = $(wildcard $(call sources,'src/*.[ch]' 'tools/*.[ch]' 'tests/*.[ch]',\
		src tools tests -name '*.[ch]'))
headers	 = $(filter $(1)/%.h,$(c_files))
scripts	 = $(wildcard $(call sources,configure quickstart tools tests images projects overlay .ci,\
		configure quickstart tools tests images projects overlay .ci))
man_pages = $(wildcard man/*.[1578])

# $(call have,PROGRAM) runs the rest of the line only when there is such a program.
have	= command -v $(1) >/dev/null || { echo "  $(1) is missing: not checked"; \
	  [ "$$CI" != true ]; exit; };

.PHONY: check $(addprefix check-,$(CHECKS))

# One after the other, all of them, so that one run shows everything.
check:
	+@failed=; for c in $(CHECKS); do \
		printf '  %-7s %s\n' CHECK $$c; \
		$(MAKE) --no-print-directory check-$$c || failed="$$failed $$c"; \
	done; [ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

check-layers:
	@tools/check-layers tools/layers $(LAYERS)

check-headers:
	@tools/check-headers src $(call headers,src) -- $(CC) $(filter-out -g,$(C_BASE)) -Werror
	@tools/check-headers tools $(call headers,tools) -- $(CC) $(filter-out -g,$(C_BASE)) -Werror

check-size:
	@tools/check-size tools/size.allowed $(c_files) $(scripts) $(wildcard Makefile mk/*.mk)

check-banned:
	@tools/check-banned $(c_files)

check-format:
	@$(call have,$(CLANG_FORMAT)) \
	case $$($(CLANG_FORMAT) --version) in \
	*" version $(CLANG_FORMAT_VERSION)."*) $(CLANG_FORMAT) --dry-run -Werror $(c_files) ;; \
	*) echo "  clang-format is not version $(CLANG_FORMAT_VERSION): not checked" ;; \
	esac

check-scripts:
	@tools/check-scripts $(scripts)

# What local projects have to say of themselves.
check-projects:
	@tools/projects/each check

check-man: $(PROGRAMS)
	@tools/check-man man $(filter-out $(foreach c,$(COMMANDS),$(if $(STATIC_$(c)),$(B)/bin/$(c))),$(PROGRAMS))

# The properties in vm-payload(5) are those of the table; property-page puts them there.
.PHONY: property-page
property-page: $(B)/bin/vmadm
	@tools/property-page $< man/vm-payload.5

check-properties: $(B)/bin/vmadm
	@tools/property-page --check $< man/vm-payload.5

check-mandoc:
	@$(call have,$(MANDOC)) $(if $(man_pages),$(MANDOC) -Tlint -Wwarning $(man_pages))

check-cppcheck:
	@mkdir -p $(B)/cppcheck
	@$(call have,$(CPPCHECK)) $(CPPCHECK) -q --std=c11 --language=c -D_GNU_SOURCE -Isrc -Itools \
		--enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppressions-list=tools/cppcheck.suppressions --cppcheck-build-dir=$(B)/cppcheck \
		--template='{file}:{line}: {severity}: {message} [{id}]' $(filter src/%.c tools/%.c,$(c_files))

# Everything there is, the tests included, with each compiler and no warning left.
check-gcc:
	+@$(MAKE) --no-print-directory MODE=dev CC=gcc all libraries unit-programs
# The optimizer sees what -O1 with sanitizers does not.
check-release:
	+@$(MAKE) --no-print-directory MODE=release BUILD=$(BUILD)/werror CC=gcc CFLAGS=-Werror all libraries
check-clang:
	+@$(call have,clang) $(MAKE) --no-print-directory MODE=dev CC=clang BUILD=$(BUILD)/clang \
		all libraries unit-programs

# make format F='FILE...' puts files into the form that check-format wants.
.PHONY: format
format:
	@$(if $(F),$(CLANG_FORMAT) -i $(F),echo "name the files: make format F='...'" >&2; exit 2)
