$(call judge, judge_payload, main.c calls.c create.c host.c update.c validate.c, vm query payload record base)
$(call judge, image-writer, image_writer.c, imgfile base)
