/* SPDX-License-Identifier: MIT */
/*
 * receive.h - the pieces of vm_receive.c: how far one is, and how it ends. Private.
 *
 *	VM/receive/head.json    HEAD of the stream, with the record as this host took it
 *	VM/receive/state.json   how far: { "stream", "offset", "chain", "begin" }
 */
#pragma once

#include "base/buf.h"
#include "libvm/transfer.h"
#include "libvm/vm.h"

struct jv;

struct receiving {
	const struct vm_host *vh;
	struct store *store;
	char uuid[UUID_STR];
	struct jv *head;
	struct transfer plan;
	struct transfer_point at; /* up to here all is on disk */
	/* The first pieces of the stream that is under way: each applier has to see them. */
	struct buf begin;
	bool ended;  /* nothing of the stream that AT is in comes after AT */
	bool is_new; /* the VM is made by this */
};

void receiving_done(struct receiving *n);
#define cleanup_receiving cleanup_with(receiving_done)

/* What is on disk of UUID, whose lock the caller holds. -ENOENT: it receives nothing. */
ATTR_MUST_CHECK int receiving_load(struct receiving *n, const struct vm_host *vh,
				   const char *uuid, struct err *e);
/* HEAD, once; then how far it is, durably. */
ATTR_MUST_CHECK int receiving_store_head(const struct receiving *n, struct err *e);
ATTR_MUST_CHECK int receiving_store_state(const struct receiving *n, struct err *e);

/* Everything has arrived: put all in its place. Journalled; mended by doing it again. */
ATTR_MUST_CHECK int receiving_install(struct receiving *n, struct err *e);
/* The VM as it was before: none, or the old one. */
ATTR_MUST_CHECK int receiving_abandon(const struct receiving *n, struct err *e);
