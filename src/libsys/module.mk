$(call library, sys, host.c cgroup.c cgroup_haste.c procfs.c, base)
