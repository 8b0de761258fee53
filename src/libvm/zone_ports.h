/* SPDX-License-Identifier: MIT */
/*
 * zone_ports.h - the host's ends of a VM's links, and their rules, when it has ended.
 */
#pragma once

#include "base/err.h"

/*
 * Remove all that there are of this UUID, whatever NICs its record has; none is success.
 * Goes on after a failure, and tells the first. The VM does not run.
 */
ATTR_MUST_CHECK int zone_ports_remove(const char *uuid, struct err *e);

/* The same of one port, by its name. */
ATTR_MUST_CHECK int zone_port_remove(const char *port, struct err *e);
