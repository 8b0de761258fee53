$(call fuzz, fuzz_imgapi_query, base, src/imgapi/query.c src/imgapi/range.c)
