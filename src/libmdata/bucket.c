/* SPDX-License-Identifier: MIT */
#include "libmdata/bucket.h"

void bucket_init(struct bucket *b, int64_t per_second, int64_t most, int64_t now_ms)
{
	*b = (struct bucket){
		.per_second = per_second,
		.most = most,
		.milli = most * 1000,
		.at_ms = now_ms,
	};
}

/* Tokens a second are thousandths of a token a millisecond. */
static void fill(struct bucket *b, int64_t now_ms)
{
	int64_t past = now_ms > b->at_ms ? now_ms - b->at_ms : 0;

	b->at_ms = now_ms;
	/* Longer than that fills any bucket, and cannot overflow. */
	if (past > INT32_MAX)
		b->milli = b->most * 1000;
	else
		b->milli += past * b->per_second;
	if (b->milli > b->most * 1000)
		b->milli = b->most * 1000;
}

void bucket_take(struct bucket *b, int64_t tokens, int64_t now_ms)
{
	fill(b, now_ms);
	b->milli -= tokens * 1000;
}

int bucket_wait_ms(struct bucket *b, int64_t now_ms)
{
	int64_t missing;

	fill(b, now_ms);
	missing = 1000 - b->milli;
	if (missing <= 0)
		return 0;
	missing = (missing + b->per_second - 1) / b->per_second;
	return missing > INT32_MAX ? INT32_MAX : (int)missing;
}
