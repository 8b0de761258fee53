$(call command, vminfod, http.c listeners.c main.c watch.c, vm query payload record event ipc sys base)
$(call needs, vminfod, libmicrohttpd libsystemd)
