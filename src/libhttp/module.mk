$(call library, http, http.c transfer.c, base)
$(call needs, http, libcurl)
