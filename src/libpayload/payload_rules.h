/* SPDX-License-Identifier: MIT */
/*
 * payload_rules.h - the rules between properties, in the pieces that
 * payload_to_record() puts together. For payload*.c alone.
 */
#pragma once

#include "libpayload/payload.h"

struct jv;

/* The NICs, or the disks, of a record that is being made or changed. */
struct payload_list {
	struct jv *items;
	enum brand brand;
	const char *driver; /* model of those that name none, or NULL */
	const struct payload_env *env;
	struct problems *ps;
};

/* They came through payload_check(): complete each of them in place. Negative: ENV failed. */
ATTR_MUST_CHECK int payload_nics(struct payload_list *nics, struct err *e);

/* The same in pieces: a new one; one that CHANGE was merged into; all of them together. */
ATTR_MUST_CHECK int payload_nic_new(struct payload_list *nics, size_t index, struct err *e);
ATTR_MUST_CHECK int payload_nic_changed(struct payload_list *nics, size_t index,
					const struct jv *change, struct err *e);
void payload_nics_together(struct payload_list *nics);

/*
 * The disks of a hardware VM from FIRST on are new and came as member KEY of the
 * payload: complete them. Then all of them together.
 */
ATTR_MUST_CHECK int payload_disks_new(struct payload_list *disks, size_t first, const char *key,
				      const char *bootrom, struct err *e);
void payload_disk_changed(struct payload_list *disks, const struct jv *disk,
			  const char *pointer);
void payload_disks_together(struct payload_list *disks, const char *key);
void payload_pci_devices(const struct jv *devices, size_t first, const char *key,
			 struct problems *ps);

/* Fills RET with "/nics/INDEX/MEMBER" and returns it. */
const char *payload_nic_pointer(char ret[static 64], size_t index, const char *member);

/* Addresses of one NIC: old form to new, every one right, and the old form again for clients.
 */
void payload_nic_addresses(struct jv *nic, size_t index, struct problems *ps);

void payload_routes(const struct jv *routes, const struct jv *nics, struct problems *ps);

/* What has a default and is not there, limits apart. */
void payload_defaults(struct jv *record, enum brand brand);

/* What "docker" brings along; see docs/vmadm.md. */
void payload_docker(struct jv *record);

/* Memory and the other limits of RECORD; what was given is there, what was not gets its
 * default. */
void payload_limits(struct jv *record, enum brand brand);

/* The other limits follow memory that CHECKED changes: OLD is the record before. */
void payload_memory_follows(struct jv *record, const struct jv *old, const struct jv *checked,
			    enum brand brand);

bool payload_compression_is_known(const char *kind);
#define PAYLOAD_COMPRESSIONS                                                              \
	"on, off, gzip, gzip-1, gzip-2, gzip-3, gzip-4, gzip-5, gzip-6, gzip-7, gzip-8, " \
	"gzip-9, lz4, lzjb, zle"

/* A remark on each limit that CHECKED gives and RECORD could not take as it was. */
void payload_note_clamped(const struct jv *checked, const struct jv *record,
			  struct problems *ps);

/* Compression, record sizes, paths. */
void payload_cross_checks(const struct jv *record, struct problems *ps);
