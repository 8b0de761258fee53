/* SPDX-License-Identifier: MIT */
/*
 * uuid.h - UUIDs in the one text form that is used everywhere: 36 characters,
 * lower case, 8-4-4-4-12.
 */
#pragma once

#include <stdbool.h>

#define UUID_LEN 36
#define UUID_STR (UUID_LEN + 1)

/* Strict: lower-case hex digits and dashes at 8, 13, 18 and 23, nothing else. */
bool uuid_is_valid(const char *s);

/* A random (version 4) UUID. */
void uuid_generate_random(char ret[static UUID_STR]);
