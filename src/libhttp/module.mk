$(call library, http, http.c send.c transfer.c, base)
$(call needs, http, libcurl)
