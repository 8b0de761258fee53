# What the kernel of the flavour metal is configured from: Debian's answers, all of its
# modules. That is an hour and more of compiling.
config config.amd64_none_amd64.xz
modules all
