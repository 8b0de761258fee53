/* SPDX-License-Identifier: MIT */
/*
 * vacuum.h - which of the images that nothing needs stay all the same.
 */
#pragma once

#include "imgadm/imgadm.h"

#include <time.h>

/* --older-than and --keep. */
struct vacuum_rule {
	int days; /* what was installed in these last days stays; 0: no such rule */
	int keep; /* so many of each name stay, the newest; 0: no such rule */
};

enum vacuum_stays {
	VACUUM_STAYS_NOT,
	VACUUM_STAYS_YOUNG,
	VACUUM_STAYS_UNDATED, /* when it was installed is not known */
	VACUUM_STAYS_NEWEST,
};

/* 0, or the status of wrong use. */
ATTR_MUST_CHECK int vacuum_rule_read(struct cli_call *call, struct vacuum_rule *ret);

/*
 * One for each of IMAGES, which are in their order, with their meta when there are days.
 * Names of registries are repositories; a layer that came below an image is counted
 * nowhere. New.
 */
enum vacuum_stays *vacuum_rule_apply(const struct vacuum_rule *rule,
				     const struct image_list *images, time_t now);
