/* SPDX-License-Identifier: MIT */
/*
 * live.c - what of a machine is changed while it runs.
 */
#include "librun/lxc/lxc.h"

int lxc_update(struct run *r ATTR_UNUSED, const struct run_spec *spec, run_warn *warn,
	       void *data, struct err *e)
{
	return lxc_limit_live(spec, warn, data, e);
}
