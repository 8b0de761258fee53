/* SPDX-License-Identifier: MIT */
/*
 * A VM from a stream.
 *
 *	HEAD ▶ claims ▶ record, "receiving" ▶ each stream into VM/receive ▶ TAIL ▶ in place
 *	       └── undone when cut short ───┘└── kept; gone on with ─────┘└─ completed ─┘
 *
 * The record and every byte are foreign. The record goes through what a payload goes
 * through; file systems are made by a process that sees nothing else.
 */
#include "libvm/vm.h"

#include "base/jv.h"
#include "librecord/fault.h"
#include "libvm/frames.h"
#include "librecord/journal.h"
#include "libvm/receive.h"
#include "librecord/record.h"
#include "libvm/vm_store.h"
#include "libvm/zoneadmd.h"

#include <stdio.h>
#include <string.h>

#define GIB ((uint64_t)1 << 30)

/* So much may have to come again after a power cut; an end that is seen costs nothing. */
#define POINT_BYTES ((uint64_t)256 << 20)

struct reception {
	struct receiving r; /* what is on disk */
	const struct vm_transfer *opts;
	const struct vm_receive_env *env;
	struct vm_report *rep;
	struct frames *frames;
	struct applier *applier;
	struct transfer_point now; /* what the applier was given */
	bool cut;                  /* it was the stream that came to an end, or was damaged */
	int lock;
};

static void reception_done(struct reception *n)
{
	applier_free(n->applier);
	frames_free(n->frames);
	receiving_done(&n->r);
	close_p(&n->lock);
}

/* ---- the beginning ---------------------------------------------------------------- */

/* The record that came, as one that this host would make. New. */
static int judge(struct reception *n, struct jv **ret_record, struct err *e)
{
	const struct jv *came = jv_get(n->r.head, "record");
	const char *created = jv_get_string(came, "create_timestamp");
	int r = n->env->judge(n->env->data, came, ret_record, &n->rep->problems, e);

	if (r < 0)
		return err_wrap(e, r, "/record");
	if (strcmp(jv_get_string(*ret_record, "uuid"), n->r.uuid) != 0)
		return err_set(e, -EBADMSG, "/record/uuid: is not the VM of the stream");
	if (created && strlen(created) < 32)
		jv_set(*ret_record, "create_timestamp", jv_string(created));
	jv_set(*ret_record, "receiving", jv_string(n->r.plan.id));
	return 0;
}

static int begin_new(struct reception *n, struct jv *record, struct err *e)
{
	uint64_t quota = (uint64_t)jv_get_int(record, "quota", 0) * GIB;
	cleanup_jv struct jv *args = jv_object();
	bool holds = true;
	int r;

	jv_set(args, "stage", jv_string("begin"));
	r = journal_begin(n->r.vh->host, n->r.uuid, JOURNAL_RECEIVE, args, e);
	if (r == 0)
		r = fault_point("journal written", e);
	if (r == 0)
		r = vm_take_claims(n->r.vh, record, n->rep, e);
	if (r == 0)
		r = store_receive_begin(n->r.store, n->r.uuid, quota, &holds, e);
	if (r == 0)
		r = receiving_store_head(&n->r, e);
	if (r == 0)
		r = receiving_store_state(&n->r, e);
	if (r == 0)
		r = fault_point("ready to receive", e);
	if (r == 0)
		r = record_store(n->r.vh->host, n->r.uuid, record, e);
	if (r == 0)
		r = fault_point("record written", e);
	if (r == 0 && quota && !holds)
		vm_report_warn(n->rep, "quota: the pool does not bound what a VM stores; see "
				       "mkpool(8)");
	return r < 0 ? r : journal_end(n->r.vh->host, n->r.uuid, e);
}

static int start_new(struct reception *n, struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	int r;

	if (record_exists(n->r.vh->host, n->r.uuid, NULL) != 0)
		return err_set(e, -EEXIST,
			       "VM %s is there already; what it does not have is sent with "
			       "'vmadm send --incremental-from'",
			       n->r.uuid);
	r = judge(n, &record, e);
	if (r < 0)
		return r;
	n->r.is_new = true;
	jv_set(n->r.head, "is_new", jv_bool(true));
	r = begin_new(n, record, e);
	if (r < 0 && vm_erase(n->r.vh, n->r.uuid, NULL) < 0)
		return err_wrap(e, r, "the next command on it takes the rest away");
	return r;
}

/* The snapshot that the stream is the change of: that very one, not another of its name. */
static int check_base(const struct reception *n, struct err *e)
{
	cleanup_free struct store_snapshot *list = NULL;
	const struct transfer *plan = &n->r.plan;
	size_t count, i = 0;
	int r = store_snapshot_list(n->r.store, n->r.uuid, &list, &count, e);

	if (r < 0)
		return r;
	while (i < count && strcmp(list[i].name, plan->from) != 0)
		i++;
	if (i == count)
		return err_set(e, -ENOENT, "No snapshot named \"%s\" for %s", plan->from,
			       n->r.uuid);
	if (list[i].created_ns != plan->from_ns)
		return err_set(
			e, -ESTALE,
			"snapshot \"%s\" of %s is not the one that was sent from: one of "
			"the two was made anew; use another, or send all of it",
			plan->from, n->r.uuid);
	return 0;
}

/* What the stream is the change of has to be here, and its names to be free. */
static int check_names(const struct reception *n, struct err *e)
{
	const struct transfer *plan = &n->r.plan;
	int r = check_base(n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < plan->count; i++) {
		const struct transfer_stream *s = &plan->streams[i];

		r = s->has_base ? store_has_fs(n->r.store, n->r.uuid, plan->from, s->fs, e) : 1;
		if (r == 0)
			return err_set(e, -ENOENT, "snapshot \"%s\" has no data", plan->from);
		if (r > 0)
			r = *s->snapshot
				    ? store_has_fs(n->r.store, n->r.uuid, s->snapshot, s->fs, e)
				    : 0;
		if (r < 0)
			return r;
		if (r > 0)
			return err_set(e, -EEXIST, "Snapshot \"%s\" already exists for %s",
				       s->snapshot, n->r.uuid);
	}
	return 0;
}

static int start_more(struct reception *n, struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	bool holds;
	int r = record_load(n->r.vh->host, n->r.uuid, &record, e);

	if (r == -ENOENT)
		return err_set(e, r,
			       "VM %s is not here: the first time all of it has to be sent",
			       n->r.uuid);
	if (r == 0 && jv_get(record, "receiving"))
		r = err_set(e, -EBUSY, "VM %s has not been received whole yet", n->r.uuid);
	if (r == 0 && zoneadmd_vm_pid(n->r.vh->host, n->r.uuid) > 0)
		r = err_set(e, -EBUSY, "VM %s runs; stop it first", n->r.uuid);
	if (r == 0)
		r = check_names(n, e);
	if (r == 0)
		r = store_receive_begin(n->r.store, n->r.uuid, 0, &holds, e);
	if (r < 0)
		return r;
	r = receiving_store_head(&n->r, e);
	if (r == 0)
		r = receiving_store_state(&n->r, e);
	if (r < 0 && store_receive_end(n->r.store, n->r.uuid, NULL) < 0)
		return err_wrap(e, r, "the next receive takes the rest away");
	return r;
}

/* What is here has to be of the same send, and to end where the stream goes on. */
static int start_again(struct reception *n, const struct transfer *plan,
		       const struct transfer_point *from, struct err *e)
{
	int r = receiving_load(&n->r, n->r.vh, plan->vm, e);

	if (r < 0)
		return r;
	if (strcmp(plan->id, n->r.plan.id) != 0)
		return err_set(e, -ESTALE, "the stream is of another send than what is here");
	if (from->index != n->r.at.index || from->offset != n->r.at.offset) {
		cleanup_free char *token = transfer_token(n->r.plan.id, &n->r.at);

		return err_set(e, -ESTALE,
			       "the stream does not go on where this ended; use "
			       "'vmadm send --resume-from %s'",
			       token);
	}
	return 0;
}

static int lock_vm(struct reception *n, const char *uuid, struct err *e)
{
	int r;

	(void)snprintf(n->r.uuid, sizeof(n->r.uuid), "%s", uuid);
	n->lock = vm_lock(n->r.vh->host, uuid, e);
	if (n->lock < 0)
		return n->lock;
	r = vm_recover(n->r.vh, uuid, NULL, e);
	return r < 0 ? r : vm_store_open(n->r.vh->host, &n->r.store, e);
}

static int begin(struct reception *n, char ret_uuid[static UUID_STR], struct err *e)
{
	cleanup_transfer struct transfer plan = { .count = 0 };
	cleanup_jv struct jv *head = NULL;
	struct transfer_point from = { .index = 0 };
	int64_t index, offset;
	int r = frames_get_json(n->frames, FRAME_HEAD, &head, e);

	if (r == 0)
		r = transfer_from_json(head, &plan, e);
	if (r < 0)
		return r;
	index = jv_get_int(jv_get(head, "resume"), "stream", 0);
	offset = jv_get_int(jv_get(head, "resume"), "offset", 0);
	if (index < 0 || offset < 0)
		return err_set(e, -EBADMSG, "/resume: is no place in a stream");
	from.index = (size_t)index;
	from.offset = (uint64_t)offset;
	(void)snprintf(ret_uuid, UUID_STR, "%s", plan.vm);
	r = lock_vm(n, plan.vm, e);
	if (r < 0)
		return r;
	if (n->opts->resume)
		return start_again(n, &plan, &from, e);
	if (index || offset)
		return err_set(e, -EINVAL, "the stream is the rest of one: use --resume");
	n->r.head = take_ptr(head);
	n->r.plan = plan;
	plan = (struct transfer){ .count = 0 };
	return *n->r.plan.from ? start_more(n, e) : start_new(n, e);
}

static int get_frame(struct reception *n, enum frame_kind *ret_kind, const uint8_t **ret_data,
		     size_t *ret_len, struct err *e)
{
	int r = frames_get(n->frames, ret_kind, ret_data, ret_len, e);

	n->cut = r < 0;
	return r;
}

/* ---- one stream -------------------------------------------------------------------- */

static int open_work(struct reception *n, struct err *e)
{
	const struct transfer_stream *s = &n->r.plan.streams[n->r.at.index];
	const struct store_arrival part = { n->r.at.index, n->r.at.offset };
	const struct store_arrival before = { .index = s->after };
	const struct store_arrival *after = n->r.at.offset ? &part
					    : s->has_after ? &before
							   : NULL;

	return store_receive_work(n->r.store, n->r.uuid, s->fs,
				  !after && s->has_base ? n->r.plan.from : NULL, after, e);
}

static int start_applier(struct reception *n, struct err *e)
{
	cleanup_close int rootfd = open_work(n, e);
	int r = rootfd < 0 ? rootfd : applier_start(n->r.store, rootfd, &n->applier, e);

	n->now = n->r.at;
	if (r == 0 && n->r.begin.len)
		r = applier_feed(n->applier, n->r.begin.data, n->r.begin.len, e);
	return r;
}

static int end_applier(struct reception *n, bool *ret_ended, struct err *e)
{
	int r = applier_finish(n->applier, ret_ended, e);

	applier_free(take_ptr(n->applier));
	return r;
}

/* What the applier was given is on disk, and it is said that it is. */
static int keep_point(struct reception *n, const struct transfer_point *at, struct err *e)
{
	const struct store_arrival a = { n->now.index,
					 at->index == n->now.index ? at->offset : 0 };
	int r = store_receive_keep(n->r.store, n->r.uuid, &a, e);

	if (r == 0)
		r = fault_point("arrival kept", e);
	if (r == 0)
		r = store_sync(n->r.store, e);
	if (r < 0)
		return r;
	n->r.at = *at;
	r = receiving_store_state(&n->r, e);
	if (r == 0)
		r = fault_point("state written", e);
	return r < 0 ? r : store_receive_drop_points(n->r.store, n->r.uuid, &a, e);
}

/* Stop at the end of what has come, keep it, go on. */
static int make_point(struct reception *n, bool go_on, struct err *e)
{
	bool ended;
	int r = end_applier(n, &ended, e);

	if (r == 0 && n->now.offset > n->r.at.offset) {
		n->r.ended = ended;
		r = keep_point(n, &n->now, e);
	}
	return r < 0 || !go_on ? r : start_applier(n, e);
}

/* The first two pieces of a stream are what each applier needs. */
static void take_begin(struct reception *n, const void *piece, size_t len, unsigned int *pieces)
{
	if (++*pieces > 2)
		return;
	if (*pieces == 1)
		buf_reset(&n->r.begin);
	buf_add(&n->r.begin, piece, len);
}

static int feed_pieces(struct reception *n, const uint8_t *data, size_t len,
		       unsigned int *pieces, struct err *e)
{
	int r = 0;

	n->r.ended = n->r.ended && len == 0;
	for (size_t at = 0; r == 0 && at < len;) {
		long piece = store_stream_piece(n->r.store, data + at, len - at,
						n->now.offset == 0, e);

		if (piece < 0)
			return (int)piece;
		if (piece == 0)
			return err_set(e, -EBADMSG, "a DATA frame that ends inside of a piece");
		if (n->now.offset == 0)
			*pieces = 0;
		take_begin(n, data + at, (size_t)piece, pieces);
		transfer_chain(&n->now, data + at, (size_t)piece);
		at += (size_t)piece;
	}
	return applier_feed(n->applier, data, len, e);
}

static int check_end(struct reception *n, const uint8_t *data, size_t len, struct err *e)
{
	cleanup_jv struct jv *end = NULL;
	const char *chain;
	int r = jv_parse((const char *)data, len, "ENDS", &end, e);

	if (r < 0)
		return r;
	chain = jv_get_string(end, "chain");
	if (jv_get_int(end, "bytes", -1) != (int64_t)n->now.offset || !chain ||
	    strcmp(chain, n->now.chain) != 0)
		return err_set(e, -EBADMSG, "stream %zu is not what was sent", n->now.index);
	return 0;
}

static int finish_stream(struct reception *n, struct err *e)
{
	struct transfer_point next = { .index = n->now.index + 1 };
	bool ended = false;
	int r = end_applier(n, &ended, e);

	/* The applier that saw the end may have been the one before. */
	if (r == 0 && !ended && !n->r.ended)
		r = err_set(e, -EBADMSG, "stream %zu has no end", n->now.index);
	if (r < 0)
		return r;
	buf_reset(&n->r.begin);
	n->r.ended = false;
	return keep_point(n, &next, e);
}

static int check_stream(const struct reception *n, const struct jv *begin, struct err *e)
{
	if (jv_get_int(begin, "stream", -1) != (int64_t)n->r.at.index ||
	    jv_get_int(begin, "offset", -1) != (int64_t)n->r.at.offset)
		return err_set(e, -EBADMSG, "a stream that is not the next one");
	return 0;
}

static int receive_stream(struct reception *n, struct err *e)
{
	cleanup_jv struct jv *begin = NULL;
	unsigned int pieces = 2; /* of one that is gone on with there are the first already */
	enum frame_kind kind;
	const uint8_t *data;
	size_t len;
	int r = frames_get_json(n->frames, FRAME_STREAM, &begin, e);

	n->cut = r < 0;
	if (r == 0)
		r = check_stream(n, begin, e);
	if (r == 0)
		r = start_applier(n, e);
	while (r == 0) {
		r = get_frame(n, &kind, &data, &len, e);
		if (r == 0 && kind == FRAME_END) {
			r = check_end(n, data, len, e);
			return r < 0 ? r : finish_stream(n, e);
		}
		if (r == 0 && kind != FRAME_DATA)
			r = err_set(e, -EBADMSG, "a frame that has no place in a stream");
		if (r == 0)
			r = feed_pieces(n, data, len, &pieces, e);
		if (n->opts->progress)
			n->opts->progress(n->opts->data, frames_bytes(n->frames));
		if (r == 0 && n->now.offset - n->r.at.offset >= POINT_BYTES)
			r = make_point(n, true, e);
	}
	return r;
}

static int receive_all(struct reception *n, struct err *e)
{
	enum frame_kind kind;
	const uint8_t *data;
	size_t len;
	int r = 0;

	while (r == 0 && n->r.at.index < n->r.plan.count)
		r = receive_stream(n, e);
	if (r == 0)
		r = get_frame(n, &kind, &data, &len, e);
	if (r == 0 && kind != FRAME_TAIL)
		r = err_set(e, -EBADMSG, "more streams than there should be");
	return r;
}

/* ---- the end ----------------------------------------------------------------------- */

/*
 * Cut off, or damaged on its way: what came before is good, and can be gone on with. Any
 * other failure would come again.
 */
static int give_up(struct reception *n, int code, char **ret_token, struct err *e)
{
	struct err ignored = { 0 };

	if (n->cut) {
		if (n->applier && make_point(n, false, &ignored) < 0)
			code = err_wrap(e, code, "what came last is lost (%s)", ignored.msg);
		*ret_token = transfer_token(n->r.plan.id, &n->r.at);
		if (n->r.at.index == n->r.plan.count)
			return err_wrap(e, code,
					"every stream has arrived, so that "
					"'vmadm install' is enough");
		return code;
	}
	applier_free(take_ptr(n->applier));
	if (receiving_abandon(&n->r, &ignored) < 0)
		return err_wrap(e, code, "and what had arrived is left: %s", ignored.msg);
	return code;
}

int vm_receive(const struct vm_host *vh, const struct vm_transfer *t,
	       const struct vm_receive_env *env, char ret_uuid[static UUID_STR],
	       char **ret_token, struct vm_report *rep, struct err *e)
{
	cleanup_with(reception_done) struct reception n = {
		.r.vh = vh, .opts = t, .env = env, .rep = rep, .lock = -1
	};
	int r;

	n.frames = frames_reader(t->fd);
	r = begin(&n, ret_uuid, e);
	if (r < 0)
		return r;
	r = receive_all(&n, e);
	if (r < 0)
		return give_up(&n, r, ret_token, e);
	return receiving_install(&n.r, e);
}

/* ---- by hand ------------------------------------------------------------------------ */

/* The lock of a VM that receives something, and how far it is. */
static int open_receiving(const struct vm_host *vh, const char *uuid, struct receiving *n,
			  struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	cleanup_close int lock = vm_open(vh, uuid, &record, e);
	int r = lock < 0 ? lock : receiving_load(n, vh, uuid, e);

	return r < 0 ? r : take_fd(lock);
}

int vm_install(const struct vm_host *vh, const char *uuid, struct vm_report *rep, struct err *e)
{
	cleanup_receiving struct receiving n = { .vh = NULL };
	cleanup_close int lock = open_receiving(vh, uuid, &n, e);

	(void)rep;
	if (lock < 0)
		return lock;
	if (n.at.index < n.plan.count) {
		cleanup_free char *token = transfer_token(n.plan.id, &n.at);

		return err_set(e, -EAGAIN,
			       "VM %s has not arrived whole; 'vmadm send --resume-from %s' "
			       "sends the rest",
			       uuid, token);
	}
	return receiving_install(&n, e);
}

int vm_receive_token(const struct vm_host *vh, const char *uuid, char **ret_token,
		     struct err *e)
{
	cleanup_receiving struct receiving n = { .vh = NULL };
	cleanup_close int lock = open_receiving(vh, uuid, &n, e);

	if (lock < 0)
		return lock;
	*ret_token = transfer_token(n.plan.id, &n.at);
	return 0;
}

int vm_receive_abandon(const struct vm_host *vh, const char *uuid, struct err *e)
{
	cleanup_receiving struct receiving n = { .vh = NULL };
	cleanup_close int lock = open_receiving(vh, uuid, &n, e);

	return lock < 0 ? lock : receiving_abandon(&n, e);
}
