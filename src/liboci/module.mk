$(call library, oci, layout.c oci.c oci_describe.c oci_disk.c oci_ref.c oci_write.c, imgfile manifest digest base)
