$(call command, zoneadmd, console.c inherited.c machine.c main.c metadata.c metadata_work.c mounts.c \
	network.c privileges.c requests.c spec.c state.c supervise.c, vm run ipc mdata net sys base)
