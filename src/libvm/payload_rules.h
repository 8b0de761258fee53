/* SPDX-License-Identifier: MIT */
/*
 * payload_rules.h - the rules between properties, in the pieces that
 * payload_to_record() puts together. For payload*.c alone.
 */
#pragma once

#include "libvm/payload.h"

struct jv;

/* NICS came through payload_check(): complete each of them in place. Negative: ENV failed. */
ATTR_MUST_CHECK int payload_nics(struct jv *nics, enum brand brand, const char *driver,
				 const struct payload_env *env, struct problems *ps,
				 struct err *e);

/* Fills RET with "/nics/INDEX/MEMBER" and returns it. */
const char *payload_nic_pointer(char ret[static 64], size_t index, const char *member);

/* Addresses of one NIC: old form to new, every one right, and the old form again for clients.
 */
void payload_nic_addresses(struct jv *nic, size_t index, struct problems *ps);

void payload_routes(const struct jv *routes, const struct jv *nics, struct problems *ps);

/* Memory and the other limits of RECORD; what was given is there, what was not gets its
 * default. */
void payload_limits(struct jv *record, enum brand brand);

/* Compression, record sizes, paths. */
void payload_cross_checks(const struct jv *record, struct problems *ps);
