/* SPDX-License-Identifier: MIT */
/*
 * A VM as a stream.
 *
 *	stopped ▶ kept in VM/sending ▶ HEAD, streams, TAIL
 *
 * The VM's lock is held until it is kept: what happens to the VM afterwards does not
 * change what is sent, and sending.h keeps that from being taken away.
 *
 * That all of it was written does not say that it has arrived: what was sent is kept
 * until the VM starts again, is sent again or is deleted.
 *
 * The kernel writes the same bytes for the same snapshots: so a send that was cut off
 * is gone on with by reading what was sent before once more, without sending it, and
 * comparing what it sums up to. VM/sending/head.json says what the snapshots are of.
 */
#include "libvm/vm.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "base/uuid.h"
#include "librecord/fault.h"
#include "libvm/frames.h"
#include "librecord/record.h"
#include "libvm/sending.h"
#include "libvm/transfer.h"
#include "libvm/vm_store.h"
#include "libvm/zoneadmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct sending {
	const struct vm_host *vh;
	const struct vm_transfer *opts;
	const char *uuid;
	struct store *store;
	struct jv *record;
	struct transfer plan;
	struct transfer_point resume; /* where to go on; number 0 and offset 0: the start */
	struct frames *frames;
	int lock;    /* the VM's, until what is sent is kept */
	int sending; /* sending.h */
};

static void sending_done(struct sending *s)
{
	frames_free(s->frames);
	transfer_done(&s->plan);
	store_close(s->store);
	jv_unref(s->record);
	close_p(&s->sending);
	close_p(&s->lock);
}

/* ---- what is sent ---------------------------------------------------------------- */

static const char *source_of(const struct transfer_stream *s)
{
	return *s->snapshot ? s->snapshot : STORE_SENDING;
}

/* What S is the change of, on this side; NULL: it is all. */
static const char *base_of(const struct transfer *plan, const struct transfer_stream *s)
{
	if (s->has_after)
		return source_of(&plan->streams[s->after]);
	return s->has_base ? plan->from : NULL;
}

static int add_stream(struct sending *n, enum store_fs fs, const struct store_snapshot *snap,
		      struct err *e)
{
	struct transfer *t = &n->plan;
	struct transfer_stream s = { .fs = fs };
	int r = store_has_fs(n->store, n->uuid, snap ? snap->name : STORE_SENDING, fs, e);

	if (r <= 0)
		return r;
	if (snap) {
		(void)snprintf(s.snapshot, sizeof(s.snapshot), "%s", snap->name);
		s.created_ns = snap->created_ns;
	}
	for (size_t i = t->count; i-- > 0 && !s.has_after;)
		if (t->streams[i].fs == fs) {
			s.has_after = true;
			s.after = i;
		}
	r = s.has_after || !*t->from ? 0 : store_has_fs(n->store, n->uuid, t->from, fs, e);
	if (r < 0)
		return r;
	s.has_base = r > 0;
	t->streams = xrealloc_array(t->streams, t->count + 1, sizeof(s));
	t->streams[t->count++] = s;
	return 0;
}

/* Data before the root, as store_receive_install() wants it. */
static int add_moment(struct sending *n, const struct store_snapshot *snap, struct err *e)
{
	int r = 0;

	for (enum store_fs fs = STORE_FS_MAX_; r == 0 && fs-- > 0;)
		r = add_stream(n, fs, snap, e);
	return r;
}

/* Oldest first, and at the end what the VM is now. */
static int make_plan(struct sending *n, struct err *e)
{
	cleanup_free struct store_snapshot *list = NULL;
	const char *from = n->opts->from;
	size_t count, newer;
	int r = store_snapshot_list(n->store, n->uuid, &list, &count, e);

	if (r < 0)
		return r;
	for (newer = 0; from && newer < count; newer++)
		if (strcmp(list[newer].name, from) == 0)
			break;
	if (from && newer == count)
		return err_set(e, -ENOENT, "No snapshot named \"%s\" for %s", from, n->uuid);
	if (from)
		n->plan.from_ns = list[newer].created_ns;
	else
		newer = count;
	if (newer > TRANSFER_STREAMS_MAX / STORE_FS_MAX_ - 1)
		return err_set(e, -E2BIG, "%zu snapshots are more than a stream holds", newer);
	uuid_generate_random(n->plan.id);
	(void)snprintf(n->plan.vm, sizeof(n->plan.vm), "%.36s", n->uuid);
	(void)snprintf(n->plan.from, sizeof(n->plan.from), "%s", from ? from : "");
	while (r == 0 && newer-- > 0)
		r = add_moment(n, &list[newer], e);
	return r < 0 ? r : add_moment(n, NULL, e);
}

static int open_kept(const struct sending *n, struct err *e)
{
	cleanup_free char *dir = xasprintf(HOST_POOL "/%s/sending", n->uuid);

	return host_dir_existing(n->vh->host, dir, e);
}

static struct jv *make_head(const struct sending *n)
{
	struct jv *head = transfer_to_json(&n->plan);
	struct jv *record = jv_copy(n->record);

	(void)jv_del(record, "idmap_base");
	jv_set(head, "v", jv_int(FRAMES_VERSION));
	jv_set(head, "record", record);
	return head;
}

/* Stop it, keep it as it is, and what that is. */
static int keep(struct sending *n, struct err *e)
{
	cleanup_jv struct jv *head = NULL;
	cleanup_close int fd = -1;
	int r;

	r = store_send_begin(n->store, n->uuid, e);
	if (r == 0)
		r = fault_point("kept for sending", e);
	if (r == 0)
		r = make_plan(n, e);
	if (r < 0)
		return r;
	head = make_head(n);
	fd = open_kept(n, e);
	return fd < 0 ? fd : jv_store(fd, "head.json", head, e);
}

/* What was kept by the send that the token is of. */
static int take_kept(struct sending *n, struct err *e)
{
	cleanup_jv struct jv *head = NULL;
	cleanup_close int fd = -1;
	char id[UUID_STR];
	int r = transfer_token_parse(n->opts->token, id, &n->resume, e);

	if (r < 0)
		return r;
	fd = open_kept(n, NULL);
	r = fd < 0 ? fd : jv_load(fd, "head.json", FRAME_HEADER_MAX, &head, NULL);
	if (r == 0)
		r = transfer_from_json(head, &n->plan, e);
	if (r < 0 || strcmp(id, n->plan.id) != 0 || n->resume.index > n->plan.count)
		return err_set(
			e, -ESTALE,
			"what the token is of is not kept any more; send all of it again");
	jv_unref(n->record);
	n->record = jv_ref(jv_get(head, "record"));
	return 0;
}

/* ---- sending it ------------------------------------------------------------------ */

static void tell(const struct sending *n)
{
	if (n->opts->progress)
		n->opts->progress(n->opts->data, frames_bytes(n->frames));
}

static int flush(struct sending *n, struct buf *out, struct err *e)
{
	int r = out->len ? frames_put(n->frames, FRAME_DATA, out->data, out->len, e) : 0;

	buf_reset(out);
	tell(n);
	return r;
}

/* One piece: counted in any case, sent unless the other end has it. */
static int put_piece(struct sending *n, struct transfer_point *at, const void *piece,
		     size_t len, struct buf *out, struct err *e)
{
	bool skip = at->index == n->resume.index && at->offset < n->resume.offset;
	int r = 0;

	transfer_chain(at, piece, len);
	if (skip)
		return at->offset < n->resume.offset ||
				       (at->offset == n->resume.offset &&
					strcmp(at->chain, n->resume.chain) == 0)
			       ? 0
			       : err_set(e, -ESTALE,
					 "the stream is not the one of the token; send all "
					 "of it again");
	if (out->len + len > FRAME_MAX)
		r = flush(n, out, e);
	buf_add(out, piece, len);
	return r;
}

/* The pieces at the beginning of IN, which keeps the rest. */
static int put_pieces(struct sending *n, struct transfer_point *at, struct buf *in,
		      struct buf *out, struct err *e)
{
	size_t used = 0;
	int r = 0;

	while (r == 0) {
		long len = store_stream_piece(n->store, in->data + used, in->len - used,
					      at->offset == 0, e);

		if (len <= 0) {
			r = (int)len;
			break;
		}
		r = put_piece(n, at, in->data + used, (size_t)len, out, e);
		used += (size_t)len;
	}
	if (used)
		memmove(in->data, in->data + used, in->len - used);
	in->len -= used;
	return r;
}

static int copy_stream(struct sending *n, struct pump *pump, struct transfer_point *at,
		       struct err *e)
{
	cleanup_free char *chunk = xmalloc(STORE_PIECE_MAX);
	cleanup_buf struct buf in = BUF_INIT;
	cleanup_buf struct buf out = BUF_INIT;
	int r = 0;

	while (r == 0) {
		ssize_t len = read(pump_fd(pump), chunk, STORE_PIECE_MAX);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			r = err_sys(e, "cannot read the kernel's stream");
		if (len <= 0)
			break;
		buf_add(&in, chunk, (size_t)len);
		r = put_pieces(n, at, &in, &out, e);
	}
	if (r == 0)
		r = pump_finish(pump, e);
	if (r == 0 &&
	    (in.len || at->offset < (at->index == n->resume.index ? n->resume.offset : 0)))
		r = err_set(e, -EIO, "the kernel's stream ends too early");
	return r < 0 ? r : flush(n, &out, e);
}

static int put_end(struct sending *n, const struct transfer_point *at, struct err *e)
{
	cleanup_jv struct jv *end = jv_object();

	jv_set(end, "bytes", jv_int((int64_t)at->offset));
	jv_set(end, "chain", jv_string(at->chain));
	return frames_put_json(n->frames, FRAME_END, end, e);
}

static int send_stream(struct sending *n, size_t index, struct err *e)
{
	const struct transfer_stream *s = &n->plan.streams[index];
	struct transfer_point at = { .index = index };
	cleanup_jv struct jv *begin = jv_object();
	cleanup_pump struct pump *pump = NULL;
	int r;

	jv_set(begin, "stream", jv_int((int64_t)index));
	jv_set(begin, "offset",
	       jv_int(index == n->resume.index ? (int64_t)n->resume.offset : 0));
	r = frames_put_json(n->frames, FRAME_STREAM, begin, e);
	if (r == 0)
		r = pump_start(n->store, n->uuid, s->fs, source_of(s), base_of(&n->plan, s),
			       &pump, e);
	if (r == 0)
		r = copy_stream(n, pump, &at, e);
	return r < 0 ? r : put_end(n, &at, e);
}

static int send_all(struct sending *n, struct err *e)
{
	cleanup_jv struct jv *head = make_head(n);
	struct jv *resume = jv_object();
	int r;

	jv_set(resume, "stream", jv_int((int64_t)n->resume.index));
	jv_set(resume, "offset", jv_int((int64_t)n->resume.offset));
	jv_set(head, "resume", resume);
	r = frames_put_json(n->frames, FRAME_HEAD, head, e);
	for (size_t i = n->resume.index; r == 0 && i < n->plan.count; i++)
		r = send_stream(n, i, e);
	if (r == 0)
		r = frames_put_tail(n->frames, e);
	tell(n);
	return r;
}

/* As 'vmadm stop' does it: it is not to run here while it may run there. */
static int stop(struct sending *n, struct err *e)
{
	cleanup_jv struct jv *stopped = NULL;
	int r = 0;

	if (jv_get_bool(n->record, "autoboot", false)) {
		stopped = jv_copy(n->record);
		jv_set(stopped, "autoboot", jv_bool(false));
		r = record_store(n->vh->host, n->uuid, stopped, e);
	}
	if (r == 0)
		r = zoneadmd_stop_vm(n->vh->host, n->vh->zoneadmd, n->uuid, false,
				     VM_STOP_SECONDS, e);
	return r < 0 ? r : fault_point("stopped", e);
}

int vm_send(const struct vm_host *vh, const char *uuid, const struct vm_transfer *t,
	    struct vm_report *rep, struct err *e)
{
	cleanup_with(sending_done) struct sending n = {
		.vh = vh, .opts = t, .uuid = uuid, .lock = -1, .sending = -1
	};
	int r;

	(void)rep;
	n.lock = vm_open(vh, uuid, &n.record, e);
	if (n.lock < 0)
		return n.lock;
	r = vm_need_zone(n.record, "hardware VMs cannot be sent by this host", e);
	if (r == 0 && jv_get(n.record, "receiving"))
		r = err_set(e, -EBUSY, "VM %s is itself being received", uuid);
	if (r == 0)
		r = vm_store_open(vh->host, &n.store, e);
	if (r == 0)
		r = n.sending = sending_lock(vh->host, uuid, e);
	r = r > 0 ? 0 : r;
	if (r == 0 && !t->token)
		r = stop(&n, e);
	if (r == 0)
		r = t->token ? take_kept(&n, e) : keep(&n, e);
	if (r < 0)
		return r;
	/* From here on it takes as long as who reads it likes. */
	close_p(&n.lock);
	n.frames = frames_writer(t->fd);
	return send_all(&n, e);
}

int vm_send_forget(const struct vm_host *vh, const char *uuid, struct err *e)
{
	cleanup_free char *dir = xasprintf(HOST_POOL "/%s/sending", uuid);
	cleanup_store struct store *store = NULL;
	cleanup_close int sending = -1;
	int r;

	if (faccessat(vh->host->fd, dir, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	/* While it goes out it stays: the next start, send or delete takes it away. */
	sending = sending_lock(vh->host, uuid, e);
	if (sending == -EBUSY)
		return 0;
	if (sending < 0)
		return sending;
	r = vm_store_open(vh->host, &store, e);
	return r < 0 ? r : store_send_end(store, uuid, e);
}
