$(call library, sys, host.c, base)
