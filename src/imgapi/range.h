/* SPDX-License-Identifier: MIT */
/*
 * range.h - which part of a file somebody asks for, and which version of it. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum range {
	RANGE_WHOLE, /* no range, or one that we need not understand: all of it */
	RANGE_PART,
	RANGE_BEYOND, /* there is no such part: 416 */
};

/*
 * TEXT is the header's value, or NULL: "bytes=FROM-TO", "bytes=FROM-", "bytes=-LAST". More
 * than one range, another unit and what is badly written mean all of the file.
 */
enum range range_parse(const char *text, uint64_t size, uint64_t *ret_from, uint64_t *ret_len);

/*
 * Is TAG (without quotes) in the LIST of If-None-Match? "*" is any. For If-Range a weak one
 * ("W/...") is never the same.
 */
bool range_tag_is_in(const char *list, const char *tag, bool weak_too);
