$(call command, mkpool, main.c make.c mount.c inspect.c, store sys base)
