/* SPDX-License-Identifier: MIT */
/*
 * quota.h - bounds of VMs on btrfs. Private to the btrfs driver.
 *
 * Each VM that has a bound has one level-1 group; its root, and later its other
 * subvolumes and snapshots, are members, so that they share one bound:
 *
 *	1/HASH(VM's UUID) ──┬── 0/ID of VM/root
 *	                    └── 0/ID of a snapshot
 *
 * With simple quotas (kernel 6.7) a group is charged for what its members
 * wrote: a fresh clone counts nothing, whatever its image holds. With the older
 * kind the bound is on what only the members hold, which is the same number for
 * a clone, but the kernel may lose count ("inconsistent"): then nothing is
 * promised.
 */
#pragma once

#include "libstore/btrfs/ioctl.h"

enum quota_mode { QUOTA_NONE, QUOTA_FULL, QUOTA_INCONSISTENT, QUOTA_SIMPLE };

/* The mode, or why that cannot be told. */
int quota_mode(int fsfd);

/* The group of a VM, by its UUID; never 0. */
uint64_t quota_group(const char *vm);

int quota_group_create(int fsfd, uint64_t group); /* there already: 0 */
int quota_group_set_limit(int fsfd, uint64_t group, enum quota_mode mode, uint64_t bytes);
int quota_group_add(int fsfd, uint64_t group, uint64_t subvol_id); /* a member already: 0 */
bool quota_group_has(int fsfd, uint64_t group, uint64_t subvol_id);
int quota_group_usage(int fsfd, uint64_t group, enum quota_mode mode, uint64_t *ret_used,
		      uint64_t *ret_limit);
/* Members are let go first. Absent: 0. */
int quota_group_destroy(int fsfd, uint64_t group);

/* Remove the groups of subvolumes that are gone, which kernels before 6.12 leave. */
void quota_sweep(int fsfd);
