/* SPDX-License-Identifier: MIT */
/*
 * http.c - the questions, and their answers; libmicrohttpd speaks HTTP.
 *
 * The library runs in our loop: its epoll descriptor is one source of it, and when
 * it has something to do at a certain moment that is a timer. docs/vminfod.md has
 * the paths. On the unix socket only root is answered. On the loopback, which
 * anybody on this host can reach, a page in somebody's browser could be the one that
 * asks: so the name that the request came for must be this host's own.
 */
#include "vminfod/vminfod.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/uuid.h"
#include "libipc/ipc.h"
#include "libquery/vm_event.h"
#include "libvm/vm_index.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CONNECTIONS_MAX 128
#define CONNECTION_KIB  16 /* the longest head of a request */
#define IDLE_S          30 /* for a request to arrive, for an answer to be taken */

/* One of these a call of the library that tells the head of a request; see on_request(). */
static int head_seen;

struct http {
	struct http *next;
	struct event *loop;
	struct http_service *service;
	struct MHD_Daemon *daemon;
	struct event_source *source, *timer;
	bool loopback;
	bool full; /* it accepts nobody */
};

/* ---- answers ------------------------------------------------------------------ */

static enum MHD_Result answer(struct MHD_Connection *c, unsigned int status,
			      struct MHD_Response *response)
{
	enum MHD_Result r;

	if (!response)
		return MHD_NO;
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				      "application/json");
	r = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return r;
}

/* TEXT is taken. */
static enum MHD_Result answer_text(struct MHD_Connection *c, unsigned int status, char *text)
{
	return answer(
		c, status,
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE));
}

static enum MHD_Result answer_json(struct MHD_Connection *c, struct jv *v)
{
	char *text = jv_dump(v, 0);

	jv_unref(v);
	return answer_text(c, MHD_HTTP_OK, text);
}

static enum MHD_Result get_ping(struct http *s ATTR_UNUSED, struct MHD_Connection *c,
				const char *rest ATTR_UNUSED)
{
	return answer_text(c, MHD_HTTP_OK, xstrdup("{\"ping\":\"pong\"}"));
}

static int64_t resident_bytes(void)
{
	char text[64] = "";
	FILE *f = fopen("/proc/self/statm", "re");
	char *resident;

	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = '\0';
	(void)fclose(f);
	resident = strchr(text, ' ');
	return resident ? strtoll(resident, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

static enum MHD_Result get_status(struct http *s, struct MHD_Connection *c,
				  const char *rest ATTR_UNUSED)
{
	struct jv *v = jv_object(), *memory = jv_object();
	char now[VM_DATE_STR], scan[VM_DATE_STR];
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	vm_date(&t, now);
	vm_date(watch_last_scan(s->service->watch), scan);
	jv_set(memory, "rss", jv_int(resident_bytes()));
	jv_set(v, "pid", jv_int(getpid()));
	jv_set(v, "uptime", jv_int(t.tv_sec - s->service->started.tv_sec));
	jv_set(v, "memory", memory);
	jv_set(v, "state", jv_string("running"));
	jv_set(v, "status", jv_string("ok"));
	jv_set(v, "numVms", jv_int((int64_t)vm_index_count(s->service->index)));
	jv_set(v, "curDate", jv_string(now));
	jv_set(v, "curTime", jv_int((int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000));
	/* Every change is taken in before a question is answered: none waits. */
	jv_set(v, "queue", jv_array());
	jv_set(v, "lastRefresh", jv_string(scan));
	jv_set(v, "refreshErrors", jv_int((int64_t)vm_index_unreadable(s->service->index)));
	jv_set(v, "eventsListeners", jv_int((int64_t)listeners_count(s->service->listeners)));
	if (MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "full")) {
		jv_set(v, "refreshLog", jv_array());
		jv_set(v, "fswatcher", jv_object());
	}
	return answer_json(c, v);
}

static enum MHD_Result get_vms(struct http *s, struct MHD_Connection *c,
			       const char *rest ATTR_UNUSED)
{
	const char *members = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "members");
	struct buf text = BUF_INIT;

	/* Who asks for some members reads the files otherwise, and learns what is wrong there.
	 */
	if (members && vm_index_unreadable(s->service->index))
		return answer_text(c, MHD_HTTP_SERVICE_UNAVAILABLE,
				   xstrdup("Some records cannot be read"));
	vm_index_dump(s->service->index, members, &text);
	return answer_text(c, MHD_HTTP_OK, buf_take(&text));
}

/* Of this product only, and for its own vmadm: text, as it is printed. */
static enum MHD_Result get_list(struct http *s, struct MHD_Connection *c,
				const char *rest ATTR_UNUSED)
{
	struct buf text = BUF_INIT;

	if (vm_index_unreadable(s->service->index))
		return answer_text(c, MHD_HTTP_SERVICE_UNAVAILABLE,
				   xstrdup("Some records cannot be read"));
	vm_index_rows(s->service->index, &text);
	return answer_text(c, MHD_HTTP_OK, text.data ? buf_take(&text) : xstrdup(""));
}

static enum MHD_Result get_vm(struct http *s, struct MHD_Connection *c, const char *rest)
{
	size_t len;
	const char *text = vm_index_get(s->service->index, rest, &len);

	if (text)
		return answer_text(c, MHD_HTTP_OK, xstrndup(text, len));
	return answer_text(c, MHD_HTTP_NOT_FOUND, xasprintf("VM Not Found: %.64s", rest));
}

static enum MHD_Result get_events(struct http *s, struct MHD_Connection *c,
				  const char *rest ATTR_UNUSED)
{
	struct MHD_Response *stream = listeners_add(s->service->listeners, c);

	if (!stream)
		return answer_text(c, MHD_HTTP_SERVICE_UNAVAILABLE,
				   xstrdup("Too many listen already"));
	return answer(c, MHD_HTTP_OK, stream);
}

static const struct {
	const char *path;
	bool has_rest; /* PATH is a beginning */
	enum MHD_Result (*get)(struct http *s, struct MHD_Connection *c, const char *rest);
} paths[] = {
	{ "/events", false, get_events }, { "/list", false, get_list },
	{ "/ping", false, get_ping },     { "/status", false, get_status },
	{ "/vms", false, get_vms },       { "/vms/", true, get_vm },
};

/* ---- questions ---------------------------------------------------------------- */

/* "localhost:9090", "127.0.0.1", "[::1]:9090" */
static bool is_own_name(const char *host)
{
	static const char *const own[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		size_t len = strlen(own[i]);

		if (strncasecmp(host, own[i], len) == 0 && (!host[len] || host[len] == ':'))
			return true;
	}
	return false;
}

static bool may_ask(struct http *s, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info;
	struct ipc_peer peer;
	const char *host;

	if (s->loopback) {
		host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
		return !host || is_own_name(host);
	}
	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	return info && ipc_peer(info->connect_fd, &peer, NULL) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static enum MHD_Result dispatch(struct http *s, struct MHD_Connection *c, const char *url)
{
	struct err e;

	if (watch_sync(s->service->watch, &e) < 0) {
		log_error("%s", e.msg);
		return MHD_NO;
	}
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		size_t len = strlen(paths[i].path);

		if (strncmp(url, paths[i].path, len) == 0 && (paths[i].has_rest || !url[len]))
			return paths[i].get(s, c, url + len);
	}
	return answer_text(c, MHD_HTTP_NOT_FOUND, xstrdup("Unsupported URL Path"));
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version ATTR_UNUSED,
				  const char *upload ATTR_UNUSED, size_t *upload_len,
				  void **request)
{
	struct http *s = data;

	/* The head first, then what else there is of the request, then nothing more. */
	if (!*request) {
		*request = &head_seen;
		return MHD_YES;
	}
	if (*upload_len) {
		*upload_len = 0;
		return MHD_YES;
	}
	if (!may_ask(s, c))
		return answer_text(c, MHD_HTTP_FORBIDDEN, xstrdup("Not for you"));
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		return answer_text(c, MHD_HTTP_BAD_REQUEST, xstrdup(""));
	return dispatch(s, c, url);
}

/* ---- in the loop -------------------------------------------------------------- */

static int on_turn(void *data, uint32_t events);

static bool is_full(struct http *s)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info && info->num_connections >= CONNECTIONS_MAX;
}

/*
 * The library takes its listening socket out of the epoll set while there is no room, and
 * puts it back at the beginning of its next turn: which nothing would bring about.
 */
static void take_turn(struct http *s)
{
	bool was_full = s->full;

	if (MHD_run(s->daemon) != MHD_YES)
		log_warning("the HTTP library is in trouble");
	s->full = is_full(s);
	if (was_full && !s->full && MHD_run(s->daemon) == MHD_YES)
		s->full = is_full(s);
}

static void run(struct http *s)
{
	MHD_UNSIGNED_LONG_LONG in_ms;
	struct err e;

	event_source_free(s->timer);
	s->timer = NULL;
	take_turn(s);
	if (MHD_get_timeout(s->daemon, &in_ms) == MHD_YES &&
	    event_add_timer(s->loop, in_ms, on_turn, s, &s->timer, &e) < 0)
		log_warning("%s", e.msg);
}

/* A question that was answered may have found news for those who listen. */
void http_turn(struct http_service *service)
{
	while (listeners_woken(service->listeners))
		for (struct http *s = service->servers; s; s = s->next)
			run(s);
}

static int on_turn(void *data, uint32_t events ATTR_UNUSED)
{
	struct http *s = data;

	run(s);
	http_turn(s->service);
	return 0;
}

static struct MHD_Daemon *start(struct http *s, int fd)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, s,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_KIB * 1024,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_S, MHD_OPTION_END);
}

static void http_free(struct http *s)
{
	event_source_free(s->source);
	event_source_free(s->timer);
	MHD_stop_daemon(s->daemon);
	free(s);
}

void http_free_all(struct http_service *service)
{
	struct http *s;

	while ((s = service->servers)) {
		service->servers = s->next;
		http_free(s);
	}
}

int http_new(struct event *loop, int fd, bool loopback, struct http_service *service,
	     struct err *e)
{
	struct http *s = xcalloc(1, sizeof(*s));
	const union MHD_DaemonInfo *info;
	int r;

	*s = (struct http){ .loop = loop, .service = service, .loopback = loopback };
	s->daemon = start(s, fd);
	if (!s->daemon) {
		(void)close(fd);
		free(s);
		return err_set(e, -EIO, "cannot serve HTTP");
	}
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	r = info ? event_add_io(loop, info->epoll_fd, EPOLLIN, on_turn, s, &s->source, e)
		 : err_set(e, -EIO, "cannot serve HTTP: no epoll");
	if (r < 0) {
		http_free(s);
		return r;
	}
	s->next = service->servers;
	service->servers = s;
	return 0;
}
