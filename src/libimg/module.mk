$(call library, img, image.c import.c import_plan.c import_run.c install.c leftovers.c \
	pool.c refresh.c stage.c uses.c, source imgfile manifest store sys base)
