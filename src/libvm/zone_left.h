/* SPDX-License-Identifier: MIT */
/*
 * zone_left.h - what a VM that has ended may have left in the kernel: the host's ends of
 * its links, their rules, control groups.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/*
 * Remove all that there are of this UUID, whatever NICs its record has; none is success.
 * Goes on after a failure, and tells the first. The VM does not run.
 */
ATTR_MUST_CHECK int zone_ports_remove(const char *uuid, struct err *e);

/* The same of one port, by its name. */
ATTR_MUST_CHECK int zone_port_remove(const char *port, struct err *e);

/*
 * Its control groups, as far as nobody is in them: a machine of this UUID may run on
 * another host below this kernel.
 */
ATTR_MUST_CHECK int zone_groups_remove(const char *uuid, struct err *e);

/*
 * Does it run, be it below another root folder of this kernel? Who watched over one that has
 * ended may live for a moment longer, and does not count.
 */
bool zone_has_processes(const char *uuid);

/* EACH gets the name of every such group, "dais/UUID.monitor". */
void zone_groups_each(const char *uuid, void (*each)(void *data, const char *group),
		      void *data);
