$(call command, imgapi, answer.c catalog.c http.c main.c query.c range.c rights.c, img store http event sys base)
$(call needs, imgapi, libmicrohttpd libseccomp libsystemd)
