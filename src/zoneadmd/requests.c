/* SPDX-License-Identifier: MIT */
/*
 * requests.c - what commands ask over zoneadmd.sock; libvm/zoneadmd.h has the
 * protocol. Only root gets that far, and gets little time to be clear.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/jv.h"
#include "base/log.h"
#include "libipc/ipc.h"

#include <stdio.h>
#include <string.h>

#define PATIENCE_MS 2000

#define TIMEOUT_DEFAULT_S 60
#define TIMEOUT_MAX_S     86400

static void answer(int fd, const struct jv *more, const struct err *failure)
{
	struct err e;
	int r;

	r = failure ? ipc_answer_error(fd, failure, PATIENCE_MS, &e)
		    : ipc_answer_ok(fd, more, PATIENCE_MS, &e);
	/* Who asked and went away has no use for it. */
	if (r < 0)
		log_debug("%s", e.msg);
}

void requests_answer_waiters(struct zone *z, const struct err *failure)
{
	for (unsigned int i = 0; i < z->waiter_count; i++) {
		answer(z->waiters[i], NULL, failure);
		(void)close(z->waiters[i]);
	}
	z->waiter_count = 0;
}

static int request_status(struct zone *z, const struct jv *request ATTR_UNUSED, int *fd,
			  struct err *e ATTR_UNUSED)
{
	cleanup_jv struct jv *more = jv_object();

	jv_set(more, "state", jv_string(zone_state_to_string(z->state)));
	jv_set(more, "pid", jv_int(z->run ? run_init_pid(z->run) : 0));
	jv_set(more, "supervisor", jv_int(getpid()));
	jv_set(more, "viewers", jv_int((int64_t)console_viewers(z)));
	jv_set(more, "warnings", jv_copy(z->warnings));
	answer(*fd, more, NULL);
	return 0;
}

static int request_reload(struct zone *z, const struct jv *request ATTR_UNUSED, int *fd,
			  struct err *e)
{
	cleanup_jv struct jv *more = jv_object();
	int r = zone_reload(z, e);

	if (r < 0)
		return r;
	jv_set(more, "warnings", jv_copy(z->warnings));
	answer(*fd, more, NULL);
	return 0;
}

static int end(struct zone *z, const struct jv *request, int *fd, bool again, struct err *e)
{
	int64_t timeout = jv_get_int(request, "timeout_s", TIMEOUT_DEFAULT_S);
	int r;

	if (timeout < 0 || timeout > TIMEOUT_MAX_S)
		return err_set(e, -EINVAL, "timeout_s: %lld is not 0 to %d", (long long)timeout,
			       TIMEOUT_MAX_S);
	if (z->waiter_count == WAITERS_MAX)
		return err_set(e, -EBUSY, "too many wait for the end of this VM");
	z->waiters[z->waiter_count++] = *fd;
	if (jv_get_bool(request, "force", false) || timeout == 0)
		r = zone_force_end(z, again, e);
	else
		r = zone_ask_end(z, again, (unsigned int)timeout, e);
	if (r < 0)
		z->waiter_count--;
	else
		*fd = -1;
	return r;
}

static int request_stop(struct zone *z, const struct jv *request, int *fd, struct err *e)
{
	return end(z, request, fd, false, e);
}

static int request_reboot(struct zone *z, const struct jv *request, int *fd, struct err *e)
{
	return end(z, request, fd, true, e);
}

/* Each answers a success itself, or keeps *FD and sets it to -1; a failure is answered here. */
static const struct {
	const char *name;
	int (*handle)(struct zone *z, const struct jv *request, int *fd, struct err *e);
} requests[] = {
	{ "console", console_join },  { "reboot", request_reboot },
	{ "reload", request_reload }, { "status", request_status },
	{ "stop", request_stop },
};

static int handle(struct zone *z, int *fd, struct err *e)
{
	cleanup_jv struct jv *request = NULL;
	const char *name;
	int r;

	r = ipc_receive(*fd, PATIENCE_MS, &request, e);
	if (r < 0)
		return r;
	name = jv_get_string(request, "request");
	for (size_t i = 0; name && i < ARRAY_SIZE(requests); i++)
		if (strcmp(name, requests[i].name) == 0)
			return requests[i].handle(z, request, fd, e);
	return err_set(e, -EOPNOTSUPP, "'%.40s' is no request of zoneadmd", name ? name : "");
}

void requests_serve(struct zone *z)
{
	cleanup_close int fd = -1;
	struct ipc_peer peer;
	struct err e = { 0 };
	int r;

	fd = ipc_accept(z->listenfd, &peer, &e);
	if (fd < 0)
		return;
	if (peer.uid != 0)
		r = err_set(&e, -EPERM, "only root may ask");
	else
		r = handle(z, &fd, &e);
	if (r < 0 && fd >= 0)
		answer(fd, NULL, &e);
}

int requests_listen(struct zone *z, struct err *e)
{
	z->listenfd = ipc_listen(z->rundirfd, "zoneadmd.sock", e);
	return z->listenfd < 0 ? z->listenfd : 0;
}
