/* SPDX-License-Identifier: MIT */
#include "libvm/receive.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "librecord/fault.h"
#include "libvm/frames.h"
#include "librecord/journal.h"
#include "librecord/record.h"
#include "libvm/recover.h"
#include "libvm/vm_store.h"
#include "libvm/zoneadmd.h"

#include <stdio.h>
#include <string.h>

#define STATE_MAX ((size_t)2 << 20)

void receiving_done(struct receiving *n)
{
	store_close(n->store);
	jv_unref(n->head);
	transfer_done(&n->plan);
	buf_done(&n->begin);
}

static int open_folder(const struct vm_host *vh, const char *uuid, struct err *e)
{
	cleanup_free char *dir = xasprintf(HOST_POOL "/%s/receive", uuid);

	return host_dir_existing(vh->host, dir, e);
}

/* ---- what is on disk -------------------------------------------------------------- */

static struct jv *hex_of(const struct buf *b)
{
	static const char digits[] = "0123456789abcdef";
	cleanup_buf struct buf text = BUF_INIT;

	for (size_t i = 0; i < b->len; i++) {
		buf_addc(&text, digits[(unsigned char)b->data[i] >> 4]);
		buf_addc(&text, digits[b->data[i] & 15]);
	}
	return jv_string(buf_str(&text));
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void take_hex(struct buf *b, const char *hex)
{
	buf_reset(b);
	for (; hex && digit(hex[0]) >= 0 && digit(hex[1]) >= 0; hex += 2)
		buf_addc(b, (char)(digit(hex[0]) << 4 | digit(hex[1])));
}

int receiving_store_head(const struct receiving *n, struct err *e)
{
	cleanup_close int fd = open_folder(n->vh, n->uuid, e);

	return fd < 0 ? fd : jv_store(fd, "head.json", n->head, e);
}

int receiving_store_state(const struct receiving *n, struct err *e)
{
	cleanup_close int fd = open_folder(n->vh, n->uuid, e);
	cleanup_jv struct jv *state = jv_object();

	jv_set(state, "stream", jv_int((int64_t)n->at.index));
	jv_set(state, "offset", jv_int((int64_t)n->at.offset));
	jv_set(state, "chain", jv_string(n->at.offset ? n->at.chain : ""));
	jv_set(state, "ended", jv_bool(n->ended));
	jv_set(state, "begin", hex_of(&n->begin));
	return fd < 0 ? fd : jv_store(fd, "state.json", state, e);
}

static int take_state(struct receiving *n, const struct jv *state)
{
	int64_t index = jv_get_int(state, "stream", -1);
	int64_t offset = jv_get_int(state, "offset", -1);
	const char *chain = jv_get_string(state, "chain");

	if (index < 0 || (uint64_t)index > n->plan.count || offset < 0 || !chain)
		return -EBADMSG;
	n->at.index = (size_t)index;
	n->at.offset = (uint64_t)offset;
	n->ended = jv_get_bool(state, "ended", false);
	(void)snprintf(n->at.chain, sizeof(n->at.chain), "%s", chain);
	take_hex(&n->begin, jv_get_string(state, "begin"));
	return 0;
}

int receiving_load(struct receiving *n, const struct vm_host *vh, const char *uuid,
		   struct err *e)
{
	cleanup_jv struct jv *state = NULL;
	cleanup_close int fd = -1;
	int r;

	n->vh = vh;
	(void)snprintf(n->uuid, sizeof(n->uuid), "%s", uuid);
	r = n->store ? 0 : vm_store_open(vh->host, &n->store, e);
	if (r < 0)
		return r;
	fd = open_folder(vh, uuid, NULL);
	r = fd < 0 ? fd : jv_load(fd, "head.json", FRAME_HEADER_MAX, &n->head, e);
	if (r == 0)
		r = jv_load(fd, "state.json", STATE_MAX, &state, e);
	if (r == -ENOENT)
		return err_set(e, r, "VM %s receives nothing", uuid);
	if (r == 0)
		r = transfer_from_json(n->head, &n->plan, e);
	if (r == 0 && take_state(n, state) < 0)
		r = err_set(e, -EBADMSG, "state.json is damaged");
	n->is_new = jv_get_bool(n->head, "is_new", false);
	return r < 0 ? err_wrap(e, r, "what VM %s has received", uuid) : 0;
}

/* ---- the end ------------------------------------------------------------------------ */

static int install_streams(const struct receiving *n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n->plan.count; i++) {
		const struct transfer_stream *s = &n->plan.streams[i];
		const struct store_arrival a = { .index = i };

		r = store_receive_install(n->store, n->uuid, &a, s->fs,
					  *s->snapshot ? s->snapshot : NULL, s->created_ns, e);
		if (r == 0)
			r = fault_point("stream installed", e);
	}
	return r;
}

/* The record of a new VM is as it came; that of one that was there stays. */
static int install_record(const struct receiving *n, struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	int r = record_load(n->vh->host, n->uuid, &record, e);

	if (r < 0 || !jv_del(record, "receiving"))
		return r;
	return record_store(n->vh->host, n->uuid, record, e);
}

static int begin_stage(const struct receiving *n, const char *stage, struct err *e)
{
	cleanup_jv struct jv *args = jv_object();

	jv_set(args, "stage", jv_string(stage));
	return journal_begin(n->vh->host, n->uuid, JOURNAL_RECEIVE, args, e);
}

static int remove_arrivals(const struct receiving *n, struct err *e)
{
	int r = store_next_end(n->store, n->uuid, e);

	if (r == 0)
		r = store_receive_end(n->store, n->uuid, e);
	if (r == 0)
		r = fault_point("arrivals removed", e);
	if (r == 0)
		r = store_sync(n->store, e);
	return r < 0 ? r : journal_end(n->vh->host, n->uuid, e);
}

/* From the first to the last again and again, until it comes through: for that long no
 * arrival may go. */
static int install(const struct receiving *n, struct err *e)
{
	int r = store_next_begin(n->store, n->uuid, e);

	if (r == 0)
		r = install_streams(n, e);
	if (r == 0)
		r = store_next_swap(n->store, n->uuid, e);
	if (r == 0)
		r = fault_point("swapped", e);
	if (r == 0)
		r = install_record(n, e);
	if (r == 0)
		r = fault_point("record written", e);
	if (r == 0)
		r = begin_stage(n, "installed", e);
	if (r == 0)
		r = fault_point("installed", e);
	return r < 0 ? r : remove_arrivals(n, e);
}

int receiving_install(struct receiving *n, struct err *e)
{
	int r;

	if (zoneadmd_vm_pid(n->vh->host, n->uuid) > 0)
		return err_set(e, -EBUSY,
			       "VM %s runs; stop it, then 'vmadm install' puts in place what "
			       "has arrived",
			       n->uuid);
	r = begin_stage(n, "install", e);
	if (r < 0)
		return err_wrap(e, r, "all has arrived; 'vmadm install %s' puts it in place",
				n->uuid);
	r = fault_point("journal written", e);
	if (r == 0)
		r = install(n, e);
	return r < 0 ? err_wrap(e, r, "all has arrived; the next command on it goes on") : 0;
}

int receiving_abandon(const struct receiving *n, struct err *e)
{
	int r;

	if (n->is_new)
		return vm_erase(n->vh, n->uuid, e);
	r = store_receive_end(n->store, n->uuid, e);
	return r < 0 ? r : store_sync(n->store, e);
}

/*
 * "begin": until there is a record that says "receiving", nothing stays. "install": from
 * the start again. "installed": some of the arrivals may be gone already.
 */
int vm_receive_recover(const struct recovery *rc, const char **ret_done, struct err *e)
{
	const char *stage = jv_get_string(rc->args, "stage");
	cleanup_receiving struct receiving n = { .vh = rc->vh };
	int r;

	if (!stage || strncmp(stage, "install", strlen("install")) != 0) {
		*ret_done = rc->has_record ? "left it receiving" : "undid its receiving";
		return rc->has_record ? journal_end(rc->vh->host, rc->uuid, e)
				      : vm_erase(rc->vh, rc->uuid, e);
	}
	*ret_done = "completed its receiving";
	(void)snprintf(n.uuid, sizeof(n.uuid), "%s", rc->uuid);
	if (strcmp(stage, "installed") == 0) {
		r = vm_store_open(rc->vh->host, &n.store, e);
		return r < 0 ? r : remove_arrivals(&n, e);
	}
	r = receiving_load(&n, rc->vh, rc->uuid, e);
	if (r == 0)
		return install(&n, e);
	return r == -ENOENT ? remove_arrivals(&n, e) : r;
}
