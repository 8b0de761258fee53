/* SPDX-License-Identifier: MIT */
/*
 * sources.h - lists of sources, as `imgadm sources` shows and changes them.
 */
#pragma once

#include "imgadm/imgadm.h"
#include "libsource/source.h"

/* "WHAT "TYPE" image source "URL" ... END" */
void sources_say(const char *what, const struct source *s, const char *end);

/* The one of S that is the same as ONE; NULL: none is. */
const struct source *sources_have(const struct sources *s, const struct source *one);

/* -e: the list in an editor. The caller holds the lock. */
ATTR_MUST_CHECK int sources_edit(const struct cli_call *call, const struct host *h,
				 struct sources *s);
