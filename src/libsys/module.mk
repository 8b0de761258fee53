$(call library, sys, host.c cgroup.c procfs.c, base)
