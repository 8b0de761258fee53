/* SPDX-License-Identifier: MIT */
/*
 * check.h - the parts of vm_check() among themselves. Private to libvm.
 */
#pragma once

#include "libvm/vm_check.h"

struct check {
	const struct vm_host *vh;
	bool repair;
	void (*found)(void *data, const struct vm_finding *f);
	void *data;
	int claimsfd; /* -1: there is no folder of claims */
	int left;     /* findings that are not mended */
};

void check_tell(struct check *c, const char *uuid, const char *what, const char *action,
		bool mended);

/* The lock of a VM that nobody works on, else -1. */
int check_lock(const struct check *c, const char *uuid);

/* The lock of its supervisor, if none lives, else -1. */
int check_lock_supervisor(const struct check *c, const char *uuid);

/*
 * vm_check_host.c: what is in the kernel. Hosts below another root folder may be on it as
 * well: what could be one of theirs is left alone.
 */
ATTR_MUST_CHECK int check_host(struct check *c, struct err *e);

/* Of a VM that this host has, and whose lock the caller holds. */
void check_groups(struct check *c, const char *uuid);
