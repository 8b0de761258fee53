/* SPDX-License-Identifier: MIT */
/*
 * nictagadm.h - the pieces of nictagadm.
 *
 *	main.c ──▶ cmd_change.c (add, update, delete) ──▶ props.c  what -p and MAC say
 *	       └─▶ cmd_show.c   (exists, list, vms, up)      tags.c   the file, its users
 *
 * The texts, less the "Error: " that main.c puts before each, are those of the
 * original: scripts compare them.
 */
#pragma once

#include "base/cli.h"
#include "libnet/link.h"
#include "libnet/nictag.h"
#include "libsys/host.h"

#include <stdbool.h>
#include <stddef.h>

/* All tags, held for one command. tags_done() frees, unlocks and closes. */
struct tags {
	struct host host;
	int lock; /* -1 unless opened to change */
	struct nictag *tags;
	size_t count;
};

#define TAGS_INIT                                \
	{                                        \
		.host = { .fd = -1 }, .lock = -1 \
	}
#define cleanup_tags cleanup_with(tags_done)

ATTR_MUST_CHECK int tags_open(struct tags *t, const struct cli_call *call, bool change,
			      struct err *e);
void tags_done(struct tags *t);
ATTR_MUST_CHECK int tags_store(const struct tags *t, struct err *e);

struct nictag *tags_find(const struct tags *t, const char *name); /* or NULL */
void tags_add(struct tags *t, const struct nictag *tag);
void tags_remove(struct tags *t, const char *name);
/* Another tag with the same bridge, or NULL. */
const struct nictag *tags_sharing(const struct tags *t, const struct nictag *tag);
/* The tag whose interface is NAME or has MAC, or NULL. Either may be "". */
const struct nictag *tags_on_link(const struct tags *t, const char *name, const char *mac);

/* Calls FN with the UUID of each VM that has a NIC on the tag NAME; how many there are. */
ATTR_MUST_CHECK int tags_each_vm(const struct tags *t, const char *name,
				 void (*fn)(const char *uuid), struct err *e);

/* What a command line asks of a tag. */
struct props {
	char mac[MAC_STR];   /* "" unless given */
	char link[IFNAMSIZ]; /* a bond's, or given as link= */
	char bridge[IFNAMSIZ];
	char address[ADDR_STR];
	bool no_address;  /* address=none */
	unsigned int mtu; /* 0 unless given */
};

/* From -p and the operand after the name; looks at this host's links. */
ATTR_MUST_CHECK int props_read(const struct cli_call *call, struct props *ret_props,
			       struct err *e);

/* Each is the run() of a command. */
int cmd_add(struct cli_call *call, struct err *e);
int cmd_delete(struct cli_call *call, struct err *e);
int cmd_exists(struct cli_call *call, struct err *e);
int cmd_list(struct cli_call *call, struct err *e);
int cmd_up(struct cli_call *call, struct err *e);
int cmd_update(struct cli_call *call, struct err *e);
int cmd_vms(struct cli_call *call, struct err *e);
