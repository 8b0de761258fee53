FUZZ_JSON_PARTS := $(addprefix src/json/,arena.c explain.c inspect.c lookup.c merge.c number.c parse.c print.c text.c)
$(call fuzz, fuzz_json, base, $(FUZZ_JSON_PARTS))
$(call needs, fuzz_json, -lm)
