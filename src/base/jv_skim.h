/* SPDX-License-Identifier: MIT */
/*
 * jv_skim.h - some members of an object, without the work of reading all.
 *
 * A list of a thousand VMs needs five members of each. The text is
 * walked once, byte by byte, and only what is wanted reaches the JSON parser.
 */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Put the members of the object TEXT whose names WANTED accepts into OUT, as an
 * object. False when TEXT has not the shape of an object: then the parser has to
 * see all of it and say why.
 */
bool jv_skim(const char *text, size_t len,
	     bool (*wanted)(const void *data, const char *name, size_t name_len),
	     const void *data, struct buf *out);
