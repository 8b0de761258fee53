# mk/install.mk - what `make install` puts where: on this machine and, with
# DESTDIR and prefix=/usr, in the platform image.
#
# Programs go to sbin, where the original has them too, but for those that only
# units call; completions are printed by the programs themselves, so they cannot
# fall behind.

prefix	?= /usr/local
sbindir	?= $(prefix)/sbin
libdir	?= $(prefix)/lib/dais
mandir	?= $(prefix)/share/man
unitdir	?= $(prefix)/lib/systemd/system
bashdir	?= $(prefix)/share/bash-completion/completions
zshdir	?= $(prefix)/share/zsh/site-functions

# Not installed: tools of the build, and what only the boot archive carries.
BUILD_ONLY := builder init

# Units that make sense on any host, none of which is enabled by this; the platform's own
# are in overlay/.
HOST_UNITS ?= $(wildcard $(addprefix overlay/etc/systemd/system/,\
	dais-imgapi.service dais-vminfod.service dais-zoneadmd.service dais-zones.service))

# Called by units and by other programs alone.
HELPERS    := $(filter mdata-agent platform vminfod zoneadmd,$(COMMANDS))
INSTALLED  := $(filter-out $(BUILD_ONLY) $(HELPERS),$(COMMANDS))
INST_MAN   := $(filter-out $(patsubst %,man/%.1,$(BUILD_ONLY)),$(wildcard $(foreach s,1 5 7 8,man/*.$(s))))
STRIPPED   := $(if $(filter debug,$(MODE)),,-s)
INST_UNITS := $(if $(PLATFORM),,$(HOST_UNITS))

.PHONY: install uninstall
install: programs
	install -d $(DESTDIR)$(sbindir)
	install $(STRIPPED) -m 755 $(addprefix $(B)/bin/,$(INSTALLED)) $(DESTDIR)$(sbindir)
	$(if $(HELPERS),install -d $(DESTDIR)$(libdir) && \
		install $(STRIPPED) -m 755 $(addprefix $(B)/bin/,$(HELPERS)) $(DESTDIR)$(libdir))
	$(if $(INST_MAN),for p in $(INST_MAN); do \
		install -d $(DESTDIR)$(mandir)/man$${p##*.} && \
		install -m 644 $$p $(DESTDIR)$(mandir)/man$${p##*.} || exit 1; \
	done)
	install -d $(DESTDIR)$(bashdir) $(DESTDIR)$(zshdir)
	for p in $(INSTALLED); do \
		$(B)/bin/$$p --completion bash > $(DESTDIR)$(bashdir)/$$p && \
		$(B)/bin/$$p --completion zsh > $(DESTDIR)$(zshdir)/_$$p && \
		chmod 644 $(DESTDIR)$(bashdir)/$$p $(DESTDIR)$(zshdir)/_$$p || exit 1; \
	done
	$(if $(INST_UNITS),install -d $(DESTDIR)$(unitdir) && for u in $(INST_UNITS); do \
		sed 's|/usr/sbin/|$(sbindir)/|g; s|/usr/lib/dais/|$(libdir)/|g' $$u > $(DESTDIR)$(unitdir)/$${u##*/} && \
		{ grep -q '^\[Install\]' $$u || printf '\n[Install]\nWantedBy=multi-user.target\n' \
			>> $(DESTDIR)$(unitdir)/$${u##*/}; } && \
		chmod 644 $(DESTDIR)$(unitdir)/$${u##*/} || exit 1; \
	done)

uninstall:
	rm -f $(addprefix $(DESTDIR)$(sbindir)/,$(INSTALLED)) \
		$(addprefix $(DESTDIR)$(libdir)/,$(HELPERS)) \
		$(addprefix $(DESTDIR)$(bashdir)/,$(INSTALLED)) \
		$(addprefix $(DESTDIR)$(zshdir)/_,$(INSTALLED)) \
		$(foreach p,$(INST_MAN),$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(p)))/$(notdir $(p))) \
		$(addprefix $(DESTDIR)$(unitdir)/,$(notdir $(INST_UNITS)))
