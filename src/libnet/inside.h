/* SPDX-License-Identifier: MIT */
/*
 * inside.h - addresses and routes in the network namespace of a machine that
 * runs. What the machine has set itself is left alone: only what is named here is
 * added or removed, and routes that carry our mark.
 */
#pragma once

#include "base/err.h"
#include "libnet/address.h"

#include <stdbool.h>
#include <stddef.h>

#define INSIDE_ROUTES_MAX 256

struct inside; /* a conversation with that namespace */

ATTR_MUST_CHECK int inside_open(int netnsfd, struct inside **ret_inside, struct err *e);
void inside_close(struct inside *in);
void inside_close_p(struct inside **in);
#define cleanup_inside cleanup_with(inside_close_p)

/* The other end of the host's link PORT: its index there. -ENODEV: it has none there. */
ATTR_MUST_CHECK int inside_find(struct inside *in, const char *port, int *ret_index,
				struct err *e);
/* MTU 0: leave. */
ATTR_MUST_CHECK int inside_set_link(struct inside *in, int index, unsigned int mtu, bool up,
				    struct err *e);

/* "A/PREFIX". Which is there, or is not, already is fine. */
ATTR_MUST_CHECK int inside_add_address(struct inside *in, int index, const char *address,
				       struct err *e);
ATTR_MUST_CHECK int inside_del_address(struct inside *in, int index, const char *address,
				       struct err *e);

/* The default route goes by GATEWAY now, whoever set the one that was there. */
ATTR_MUST_CHECK int inside_set_gateway(struct inside *in, const char *gateway, struct err *e);
ATTR_MUST_CHECK int inside_del_gateway(struct inside *in, const char *gateway, struct err *e);

struct inside_route {
	struct addr to;  /* with its prefix */
	struct addr via; /* family 0: it is at the link itself */
	int index;       /* of that link; 0: the one that VIA is reached by */
	int failed;      /* out: why it is not in force, -errno; 0: it is */
};

/*
 * The routes with our mark are these now, and no others. A route that cannot be set
 * does not keep the others from it; it says so itself.
 */
ATTR_MUST_CHECK int inside_set_routes(struct inside *in, struct inside_route *routes,
				      size_t count, struct err *e);
