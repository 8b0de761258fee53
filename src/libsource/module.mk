$(call library, source, docker.c download.c fetch.c imgapi.c registry.c registry_auth.c \
	simplestreams.c source.c source_ask.c source_auth.c source_simplestreams.c source_types.c, oci manifest sandbox digest http sys base)
$(call needs, source, libcrypto)
