/* SPDX-License-Identifier: MIT */
#pragma once

#include "imgadm/imgadm.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * "oci:/..." and "oci:./...": a DIR that starts otherwise would look like a repository
 * "oci", or like a registry of this name.
 */
bool import_is_layout(const char *name);
/* NAME is oci:DIR[:TAG]. Returns what the command returns. */
int import_layout(const struct cli_call *call, const struct host *h, const char *name,
		  uint64_t limit);
