$(call command, mdata-agent, client.c confine.c main.c serve.c source.c try.c, mdata base)
$(call needs, mdata-agent, libseccomp)
