/* SPDX-License-Identifier: MIT */
/*
 * agent.h - the parts of mdata-agent among themselves.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "libmdata/bucket.h"
#include "libmdata/mdata.h"

#include <stdint.h>

/* ---- confine.c ---------------------------------------------------------------- */

/*
 * Become user and group ID, without capabilities, files, or a way to get any. The
 * current folder is one of root's. Afterwards what is not on a short list ends us.
 */
ATTR_MUST_CHECK int confine(uint32_t id, struct err *e);

/* ---- source.c: the supervisor, asked over its channel -------------------------- */

struct supervisor {
	struct jv *vm; /* the VM object as it was last; NULL: none yet */
	char *message; /* CHANNEL_MESSAGE_MAX bytes to build one in */
	bool gone;     /* and so are we */
};
extern const struct mdata_source supervisor_source; /* without its data */

/* ---- client.c: one connection of the guest ------------------------------------- */

/* Answers that one client has not taken yet; one more may come on top. */
#define CLIENT_OUT_MAX ((size_t)1 << 20)

struct client {
	int fd; /* -1: none */
	struct buf in;
	struct buf out;
	size_t sent;  /* of out */
	bool ended;   /* it sends no more */
	bool line;    /* there is a whole line in .in */
	int64_t used; /* number of the turn in which it was last heard */
};

void client_open(struct client *c, int fd);
void client_close(struct client *c);
void client_read(struct client *c);  /* may close it */
void client_write(struct client *c); /* may close it */

/*
 * Answer the first line that is there. Returns what that is worth in tokens, and
 * whether it was a change.
 */
int64_t client_answer(struct client *c, const struct mdata_source *source, bool *ret_write);

/* ---- serve.c, try.c ------------------------------------------------------------ */

/* Until the supervisor is gone. */
ATTR_MUST_CHECK int serve(struct err *e);

/* Lines of standard input, answered for the VM object in FILE; see --try. */
ATTR_MUST_CHECK int try_lines(const char *file, struct err *e);
