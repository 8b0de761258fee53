/* SPDX-License-Identifier: MIT */
/*
 * crc32c.h - the Castagnoli checksum, which streams of file systems carry.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * CRC of DATA after what CRC is of, without the inversions at both ends: as the
 * Linux kernel's crc32c() counts. The usual checksum is ~crc32c(~0, ...).
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);
