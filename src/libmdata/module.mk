$(call library, mdata, answer.c base64.c bucket.c change.c channel.c frame.c lookup.c, base)
