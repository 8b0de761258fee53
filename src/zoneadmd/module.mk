$(call command, zoneadmd, console.c failed.c filter_spec.c inherited.c keep.c machine.c main.c metadata.c \
	metadata_work.c mounts.c network.c network_live.c privileges.c requests.c spec.c state.c \
	supervise.c, vm query payload record run ipc mdata net sys base)
