/* SPDX-License-Identifier: MIT */
/*
 * platform.h - what the files of the program "platform" share: what the units
 * of a booted platform do. docs/image.md is the contract.
 */
#pragma once

#include "base/err.h"
#include "libsys/host.h"

#include <stdbool.h>

/* Find the pool and mount it with what lasts in it. No pool is success. */
ATTR_MUST_CHECK int platform_mount_pool(const struct host *h, struct err *e);

/* Root's password for this boot. */
ATTR_MUST_CHECK int platform_settle_password(const struct host *h, struct err *e);

/* Keep a password that was set since on the pool. */
ATTR_MUST_CHECK int platform_keep_password(const struct host *h, struct err *e);

/* What networkd must leave alone, as NIC tags have it. */
ATTR_MUST_CHECK int platform_uplinks(const struct host *h, struct err *e);

/* All zones that start with the host; all that run. Each zone's failure is logged. */
ATTR_MUST_CHECK int platform_start_zones(const struct host *h, struct err *e);
ATTR_MUST_CHECK int platform_stop_zones(const struct host *h, struct err *e);

/* Replace what agetty shows above the login prompt about the pool. */
void platform_set_issue(const struct host *h, const char *text);
