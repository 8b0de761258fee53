$(call library, sandbox, sandbox.c helper.c worker.c, base)
$(call needs, sandbox, libseccomp libcap)
