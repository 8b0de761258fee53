# mk/flags.mk - what the compiler and the linker are told.
#
# CC, CFLAGS, CPPFLAGS and LDFLAGS of the caller (command line, environment or
# config.mk) are added at the end, so they win; they never replace ours.

ifeq ($(origin CC),default)
CC	:= $(or $(PRIMARY_COMPILER),gcc)
endif

C_WARN	:= -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wundef -Wwrite-strings \
	   -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	   -Wimplicit-fallthrough -Wnull-dereference

# What ships is stripped; for the platform there is what a backtrace needs, which is compiled faster.
DEBUG_INFO := $(if $(PLATFORM),-g1,-g)

# The path map keeps the checkout's place out of what we ship.
C_BASE	:= -std=gnu17 -D_GNU_SOURCE -Isrc -Itools -I$(B)/gen $(if $(filter release,$(MODE)),$(DEBUG_INFO),-g) -fno-common \
	   -ffile-prefix-map=$(CURDIR)=. $(C_WARN)

C_dev		:= -O1 -Werror -fno-omit-frame-pointer \
		   -fsanitize=address,undefined -fno-sanitize-recover=all
LD_dev		:= -Wl,--as-needed -fsanitize=address,undefined
# Of the platform (configure -d): as dev, but a warning of another compiler is none of an error.
C_debug		:= $(filter-out -Werror,$(C_dev))
LD_debug	:= $(LD_dev)
C_release	:= -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
		   -fstack-clash-protection -fPIE
LD_release	:= -Wl,--as-needed -pie -Wl,-z,relro,-z,now
LD_static	:= -static-pie -Wl,-z,relro,-z,now
C_fuzz		:= -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all \
		   -fsanitize=fuzzer-no-link,address,undefined
LD_fuzz		:= -Wl,--as-needed -fsanitize=address,undefined

ifeq ($(filter dev debug release fuzz,$(MODE)),)
$(error MODE is '$(MODE)'; it must be release, dev, debug or fuzz)
endif

ALL_CFLAGS	:= $(C_BASE) $(C_$(MODE)) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS	:= $(LD_$(MODE)) $(LDFLAGS)

# A new compiler rebuilds as a changed flag does.
CC_ID	:= $(shell $(CC) --version 2>/dev/null | head -n 1)
