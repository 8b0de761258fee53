JSON_PARTS := $(addprefix src/json/,arena.c explain.c inspect.c lookup.c merge.c number.c parse.c print.c text.c)
$(call unit, test_json, base, , $(JSON_PARTS))
$(call needs, test_json, -lm)
