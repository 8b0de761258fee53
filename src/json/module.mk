$(call command, json, arena.c explain.c input.c inspect.c lookup.c main.c merge.c number.c options.c parse.c print.c \
	replace.c script.c text.c, base)
$(call needs, json, duktape -lm)
