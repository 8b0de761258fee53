/* SPDX-License-Identifier: MIT */
/*
 * hash.h - a short, stable hash of a name (FNV-1a, 64 bits). Names and MACs on
 * disk and on the wire follow from it: it must never change.
 */
#pragma once

#include <stdint.h>

static inline uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325U;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3U;
	/* Stir the high bits down: short names would share them. */
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93U;
	return hash ^ (hash >> 32);
}
