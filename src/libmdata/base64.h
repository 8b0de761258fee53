/* SPDX-License-Identifier: MIT */
/*
 * base64.h - base64 (RFC 4648) and CRC-32 (IEEE 802.3, as in zip), which the
 * second version of the metadata protocol puts around everything.
 */
#pragma once

#include "base/buf.h"

#include <stdint.h>

void base64_encode(struct buf *b, const void *data, size_t len);

/*
 * Appends what TEXT stands for. As the original does: bytes that are not of the
 * alphabet are passed over, the first '=' ends it, and bits that make no whole
 * byte are dropped. So every text stands for something.
 */
void base64_decode(struct buf *b, const char *text, size_t len);

uint32_t crc32_ieee(const void *data, size_t len);
