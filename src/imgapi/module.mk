$(call command, imgapi, answer.c catalog.c http.c keep.c main.c query.c range.c rights.c signature_head.c upload.c upload_change.c \
	writers.c, img source imgfile manifest digest store http event sys base)
$(call needs, imgapi, libmicrohttpd libseccomp libsystemd)
