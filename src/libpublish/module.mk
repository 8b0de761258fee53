$(call library, publish, publish.c publish_imgapi.c push.c push_measure.c, source oci imgfile sandbox http base)
$(call needs, publish, libarchive)
