/* SPDX-License-Identifier: MIT */
/*
 * pool_find.h - which block devices hold the pool?
 *
 * The file system's own words on each device are read (its superblock), so that
 * nothing depends on what some daemon has noticed yet.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_DEVICES_MAX  64
#define POOL_DEVICE_NAME  64
#define POOL_UUID_LEN     16
#define POOL_SUPER_OFFSET 65536 /* of the superblock on a device */
#define POOL_SUPER_LEN    4096
#define POOL_LABEL_MAX    256

struct pool_super {
	unsigned char fsid[POOL_UUID_LEN];
	unsigned char device[POOL_UUID_LEN]; /* which of the pool's devices this is */
	uint64_t device_count;
	char label[POOL_LABEL_MAX];
};

struct pool_found {
	char devices[POOL_DEVICES_MAX][POOL_DEVICE_NAME]; /* "/dev/vda" */
	struct pool_super supers[POOL_DEVICES_MAX];
	size_t count;
};

/* Is SUPER (POOL_SUPER_LEN bytes from POOL_SUPER_OFFSET) one of btrfs? */
bool pool_super_parse(const unsigned char *super, struct pool_super *ret);

/* Every device whose file system has the label LABEL, in the kernel's order. */
ATTR_MUST_CHECK int pool_find(const char *label, struct pool_found *ret, struct err *e);

/*
 * Do the devices of F make one whole pool? 1 yes, 0 there is none. -EEXIST: more
 * than one pool; -ENXIO: devices are missing; both with the names.
 */
ATTR_MUST_CHECK int pool_check(const struct pool_found *f, const char *label, struct err *e);

/*
 * May disks still turn up by themselves? False only when every storage
 * controller is a virtio disk whose driver has it, and so has said all it has;
 * others (SCSI, NVMe, USB) look for their disks in the background. SYS is "/sys".
 */
bool pool_disks_may_come(const char *sys);
