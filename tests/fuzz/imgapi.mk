$(call fuzz, fuzz_imgapi_query, base, src/imgapi/query.c src/imgapi/range.c)
$(call fuzz, fuzz_imgapi_signature, base, src/imgapi/signature_head.c)
