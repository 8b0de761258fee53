$(call library, run, run.c lxc/attach.c lxc/bind.c lxc/config.c lxc/confine.c lxc/console.c \
	lxc/driver.c lxc/late.c lxc/library.c lxc/limits.c lxc/live.c lxc/mounts.c lxc/start.c lxc/traces.c, sys base)
$(call needs, run, lxc)
