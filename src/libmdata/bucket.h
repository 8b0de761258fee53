/* SPDX-License-Identifier: MIT */
/*
 * bucket.h - how often a guest may ask: a bucket of tokens that fills at a steady
 * rate. What was done is paid for afterwards, so the bucket may be in debt; while
 * it is, nothing more is done.
 */
#pragma once

#include <stdint.h>

struct bucket {
	int64_t per_second; /* tokens that come in a second */
	int64_t most;       /* and how many it holds */
	int64_t milli;      /* what it holds now, in thousandths */
	int64_t at_ms;      /* when that was true */
};

/* Full. Moments are those of clock_now_ms(). */
void bucket_init(struct bucket *b, int64_t per_second, int64_t most, int64_t now_ms);
void bucket_take(struct bucket *b, int64_t tokens, int64_t now_ms);

/* Milliseconds until there is a token; 0: there is one. */
int bucket_wait_ms(struct bucket *b, int64_t now_ms);
