/* SPDX-License-Identifier: MIT */
/*
 * prop_table.h - what the rows of prop_*.c are written with. Nobody else
 * includes it; see prop.h.
 */
#pragma once

#include "libpayload/prop.h"

#define ALL       (BRANDS_ZONE | BRANDS_HARDWARE)
#define ZONES     BRANDS_ZONE
#define HARDWARE  BRANDS_HARDWARE
#define KVM       BRAND_KVM
#define BHYVE     BRAND_BHYVE
#define LX        BRAND_LX
#define DOCKERS   (BRAND_JOYENT_MINIMAL | BRAND_LX)
#define NOT_BHYVE (ALL & ~(unsigned int)BRAND_BHYVE)

/* Which payloads of those brands may hold it. */
#define ANY(b)        .allowed = { b, b, b }
#define CREATE(b)     .allowed = { b, 0, b }
#define ADD(b)        .allowed = { b, 0, 0 }
#define UPDATE(b)     .allowed = { 0, b, 0 }
#define ADD_UPDATE(b) .allowed = { b, b, 0 }
#define RECEIVE(b)    .allowed = { 0, 0, b }

#define RANGE(lo, hi) .bounded = true, .min = (lo), .max = (hi)
#define AT_LEAST(lo)  RANGE(lo, INT64_MAX)
/* Of MiB and GiB: what can still be counted in bytes. */
#define SIZE_MOST       ((int64_t)1 << 32)
#define COLUMN(text, w) .header = (text), .width = (w)

const char *check_hostname(const char *text);
const char *check_domain(const char *text);
const char *check_path(const char *text);
const char *check_resolver(const char *text);
const char *check_mac(const char *text);
const char *check_dhcp_cid(const char *text);
const char *check_namespace(const char *text);
const char *check_sector_size(const char *text);

extern const struct prop prop_rows_general[], prop_rows_nics[], prop_rows_hardware[],
	prop_rows_output[];
extern const size_t prop_count_general, prop_count_nics, prop_count_hardware, prop_count_output;
