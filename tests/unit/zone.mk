$(call unit, test_cgroup, sys base, -Wl$(comma)--wrap=write)
$(call unit, test_procfs, sys base)
$(call unit, test_zone_spec, vm query payload record run net sys base,, src/zoneadmd/mounts.c \
	src/zoneadmd/privileges.c src/zoneadmd/spec.c src/zoneadmd/state.c)
$(call unit, test_zoneadmd, vm query payload record sys base)
$(call unit, test_filesystem, vm query payload record sys base)
