/* SPDX-License-Identifier: MIT */
/*
 * events: what vminfod tells, one line a change, for as long as somebody reads it.
 */
#include "vmadm/vmadm.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/jv.h"
#include "libquery/vm_event.h"
#include "libquery/vminfo.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MS  30000
#define AGAIN_MS 100

struct events {
	struct vmadm v;
	bool full, json, ready;
	bool begun; /* the first "ready" has been seen */
};

static bool holds(const struct jv *vms, const char *uuid)
{
	for (size_t i = 0; i < jv_len(vms); i++)
		if (strcmp(jv_get_string(jv_at(vms, i), "uuid"), uuid) == 0)
			return true;
	return false;
}

/* The VM that was asked for has to be there when we begin; later it may go and come. */
static int check_vm(struct events *ev, const struct jv *event, struct err *e)
{
	const char *text = jv_get_string(event, "vms");
	cleanup_jv struct jv *vms = NULL;
	int r;

	if (ev->begun || !*ev->v.uuid)
		return 0;
	r = jv_parse(text ? text : "", text ? strlen(text) : 0, "vminfod", &vms, e);
	if (r < 0)
		return r;
	if (!holds(vms, ev->v.uuid))
		return err_set(e, -ENOENT, "zoneadm: %s: No such zone configured", ev->v.uuid);
	return 0;
}

static void print(const struct events *ev, const struct jv *event, const char *line, size_t len)
{
	cleanup_buf struct buf text = BUF_INIT;

	if (ev->json) {
		buf_add(&text, line, len);
		buf_addc(&text, '\n');
	} else {
		vm_event_text(event, ev->full, &text);
	}
	(void)fwrite(text.data, 1, text.len, stdout);
	(void)fflush(stdout);
}

static int handle(struct events *ev, const char *line, size_t len, struct err *e)
{
	cleanup_jv struct jv *event = NULL;
	const char *type, *uuid;
	int r;

	r = jv_parse(line, len, "vminfod", &event, e);
	if (r < 0)
		return r;
	type = jv_get_string(event, "type");
	uuid = jv_get_string(event, "uuid");
	if (!type || !uuid)
		return err_set(e, -EBADMSG, "vminfod sent an event without type or uuid");
	if (strcmp(type, "ready") == 0) {
		r = check_vm(ev, event, e);
		if (r < 0)
			return r;
		ev->begun = true;
		if (ev->ready)
			print(ev, event, line, len);
		return 0;
	}
	if (!*ev->v.uuid || strcmp(uuid, ev->v.uuid) == 0)
		print(ev, event, line, len);
	return 0;
}

/* Until the daemon ends the stream (-ECONNRESET), or our reader left (1). */
static int follow(struct events *ev, struct vminfo_stream *s, struct err *e)
{
	const char *line;
	size_t len;
	int r;

	for (;;) {
		r = vminfo_next(s, &line, &len, e);
		if (r == 0)
			r = handle(ev, line, len, e);
		if (r < 0)
			return r;
		if (ferror(stdout))
			return 1;
	}
}

/*
 * A daemon that was never there is told at once. One that went away is given time to
 * be started again.
 */
static int connect_to(struct events *ev, struct vminfo_stream *s, struct err *e)
{
	int64_t deadline = clock_deadline(WAIT_MS);
	int r;

	for (;;) {
		r = vminfo_listen(&ev->v.host, clock_left_ms(deadline), s, e);
		if (r == 0)
			return 0;
		if (r != -ENOENT && r != -ECONNREFUSED && r != -ECONNRESET)
			return err_wrap(e, r, "cannot listen to vminfod");
		if (!ev->begun || clock_left_ms(deadline) == 0)
			return err_set(e, r,
				       "vminfod does not run: there is nobody to tell of "
				       "events; see vminfod(8)");
		clock_sleep_ms(AGAIN_MS);
	}
}

static int run(struct events *ev, struct err *e)
{
	int r;

	do {
		cleanup_vminfo_stream struct vminfo_stream s = VMINFO_STREAM_INIT;

		if (ev->begun)
			fprintf(stderr, "warning: vminfod went away; what changes until it "
					"is back is not told\n");
		r = connect_to(ev, &s, e);
		if (r == 0)
			r = follow(ev, &s, e);
	} while (r == -ECONNRESET && ev->begun);
	return r < 0 ? r : 0;
}

int cmd_events(struct cli_call *call, struct err *e)
{
	struct events ev = {
		.v = { .host = { .fd = -1 } },
		.full = cli_has(call, "full"),
		.json = vmadm_wants_json(call),
		.ready = cli_has(call, "ready"),
	};
	int r = vmadm_begin(&ev.v, call, e);

	if (r == 0 && cli_operands(call) > 0)
		r = vmadm_find(&ev.v, call, e);
	if (r == 0)
		r = run(&ev, e);
	vmadm_end(&ev.v);
	return r;
}
