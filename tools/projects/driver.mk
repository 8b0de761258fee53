# SPDX-License-Identifier: MIT
# driver.mk - how a project with a Kbuild and no Makefile is made: kernel modules, into
# usr/lib/modules/VERSION/updates, which go before those of the same name of the kernel.
MODULES = usr/lib/modules/$(KERNEL_VERSION)

.PHONY: world install manifest
world:
	$(MAKE) -C $(KERNEL) M=$(CURDIR) CONFIG_DEBUG_INFO_BTF_MODULES= modules

install:
	install -d $(DESTDIR)/$(MODULES)/updates
	for m in $$(find . -name '*.ko'); do \
		strip --strip-debug -o $(DESTDIR)/$(MODULES)/updates/$${m##*/} $$m && \
		chmod 644 $(DESTDIR)/$(MODULES)/updates/$${m##*/} || exit 1; \
	done

manifest:
	{ echo 'd $(MODULES)/updates 0755 root root'; \
	find . -name '*.ko' | sort | sed 's|.*/|f $(MODULES)/updates/|; s|$$| 0644 root root|'; } \
		> $(DESTDIR)/$(DESTNAME)
