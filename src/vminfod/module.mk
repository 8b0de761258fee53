$(call command, vminfod, http.c listeners.c main.c watch.c, vm event ipc sys base)
$(call needs, vminfod, libmicrohttpd libsystemd)
