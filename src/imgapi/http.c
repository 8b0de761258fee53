/* SPDX-License-Identifier: MIT */
/*
 * http.c - the questions; libmicrohttpd speaks HTTP, in our loop.
 *
 * Its epoll descriptor is one source of the loop, and when it has something to do at a
 * certain moment that is a timer: without connections there is neither.
 */
#include "imgapi/imgapi.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/log.h"
#include "imgapi/query.h"
#include "imgapi/upload.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CONNECTIONS_MAX     256
#define CONNECTIONS_PER_ONE 64 /* of one address */
#define CONNECTION_KIB      32 /* the longest head of a request */
#define IDLE_S              30 /* for a request to arrive, for an answer to be taken */

#define UNPROCESSABLE 422 /* what the library calls it depends on its version */

/* One of these a call of the library that tells the head of a request; see on_request(). */
static int head_seen;

/* ---- what is asked --------------------------------------------------------------- */

static enum MHD_Result get_ping(struct MHD_Connection *c)
{
	struct jv *v = jv_object();
	char *text;

	jv_set(v, "ping", jv_string("pong"));
	jv_set(v, "version", jv_string("4.0.0")); /* of the protocol that we speak */
	jv_set(v, "imgapi", jv_bool(true));
	text = jv_dump(v, 0);
	jv_unref(v);
	return answer_text(c, MHD_HTTP_OK, text, NULL);
}

struct reading {
	struct query query;
	struct err err;
	int result;
};

static enum MHD_Result on_parameter(void *data, enum MHD_ValueKind kind ATTR_UNUSED,
				    const char *key, const char *value)
{
	struct reading *r = data;

	r->result = query_add(&r->query, key, value, &r->err);
	return r->result < 0 ? MHD_NO : MHD_YES;
}

static enum MHD_Result get_list(struct http *s, struct MHD_Connection *c)
{
	struct reading r = { .result = 0 };
	struct jv *list = NULL;
	enum MHD_Result done;

	query_init(&r.query);
	(void)MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, on_parameter, &r);
	if (r.result == 0)
		r.result = query_run(&r.query, s->catalog->manifests, s->catalog->count, &list,
				     &r.err);
	done = r.result < 0 ? answer_error(c, UNPROCESSABLE, "InvalidParameter", r.query.wrong,
					   "%s", r.err.msg)
			    : answer_text(c, MHD_HTTP_OK, jv_dump(list, 0), NULL);
	jv_unref(list);
	query_done(&r.query);
	return done;
}

static enum MHD_Result answer_known(struct MHD_Connection *c, const char *etag)
{
	static char nothing[1];

	return answer(c, MHD_HTTP_NOT_MODIFIED,
		      MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT),
		      etag);
}

static enum MHD_Result get_manifest(struct MHD_Connection *c, const struct offer *img)
{
	if (answer_is_known(c, img->etag))
		return answer_known(c, img->etag);
	return answer_text(c, MHD_HTTP_OK, xstrdup(img->text), img->etag);
}

static enum MHD_Result get_file(struct http *s, struct MHD_Connection *c,
				const struct offer *img)
{
	const char *index = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "index");
	struct stat st;
	int fd;

	if (index && strcmp(index, "0") != 0)
		return answer_error(c, MHD_HTTP_NOT_FOUND, "ResourceNotFound", "index",
				    "image %s has no file %.20s", img->uuid, index);
	fd = catalog_open_file(s->catalog, img, &st);
	if (fd < 0)
		return answer_error(c, MHD_HTTP_NOT_FOUND, "ResourceNotFound", NULL,
				    "the file of image %s is not kept here", img->uuid);
	if (answer_is_known(c, img->sha1)) {
		(void)close(fd);
		return answer_known(c, img->sha1);
	}
	return answer_file(c, fd, &st, img->sha1);
}

static enum MHD_Result get_signature(struct http *s, struct MHD_Connection *c,
				     const struct offer *img, const char *kind)
{
	char *text;
	size_t len;

	if (catalog_read_signature(s->catalog, img, kind, &text, &len) < 0)
		return answer_error(c, MHD_HTTP_NOT_FOUND, "ResourceNotFound", NULL,
				    "image %s has no signature '%s'", img->uuid, kind);
	return answer(c, MHD_HTTP_OK,
		      MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE), NULL);
}

static enum MHD_Result get_part(struct http *s, struct MHD_Connection *c,
				const struct offer *img, const char *part)
{
	if (!*part)
		return get_manifest(c, img);
	if (strcmp(part, "/file") == 0)
		return get_file(s, c, img);
	if (strcmp(part, "/manifest.sig") == 0 || strcmp(part, "/manifest.minisig") == 0)
		return get_signature(s, c, img, part + strlen("/manifest."));
	return answer_error(c, MHD_HTTP_NOT_FOUND, "ResourceNotFound", NULL,
			    "/images/%s%.60s does not exist", img->uuid, part);
}

static enum MHD_Result get_image(struct http *s, struct MHD_Connection *c, const char *rest)
{
	size_t len = strcspn(rest, "/");
	cleanup_free char *uuid = xstrndup(rest, len);
	const struct offer *img;

	if (!uuid_is_valid(uuid))
		return answer_error(c, UNPROCESSABLE, "InvalidParameter", "uuid",
				    "invalid image UUID '%.60s'", uuid);
	img = catalog_find(s->catalog, uuid);
	if (!img)
		return answer_error(c, MHD_HTTP_NOT_FOUND, "ResourceNotFound", NULL,
				    "image %s not found", uuid);
	return get_part(s, c, img, rest + len);
}

/* "~1", "~2", "*", "1.0.0", "2": the versions of the protocol that there are */
static bool is_spoken(const char *version)
{
	if (!version || strcmp(version, "*") == 0)
		return true;
	version += strspn(version, "~^=> ");
	return (*version == '1' || *version == '2') && (!version[1] || version[1] == '.');
}

static enum MHD_Result dispatch(struct http *s, struct MHD_Connection *c, const char *url)
{
	struct err e;

	if (catalog_refresh(s->catalog, &e) < 0) {
		log_error("%s", e.msg);
		return answer_error(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "InternalError", NULL,
				    "the images cannot be read");
	}
	if (strcmp(url, "/ping") == 0)
		return get_ping(c);
	if (strcmp(url, "/images") == 0)
		return get_list(s, c);
	if (strncmp(url, "/images/", 8) == 0)
		return get_image(s, c, url + 8);
	return answer_error(c, MHD_HTTP_NOT_FOUND, "ResourceNotFound", NULL,
			    "%.100s does not exist", url);
}

static bool is_reading(const char *method)
{
	return strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
	       strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

/* What is refused is refused by its head: nobody sends us gigabytes first. */
static enum MHD_Result on_writing(struct http *s, struct MHD_Connection *c, const char *url,
				  const char *method, const char *data, size_t *len,
				  void **request)
{
	struct upload *u = *request;
	enum MHD_Result r;

	if (!s->writers)
		return answer_error(c, MHD_HTTP_METHOD_NOT_ALLOWED, "BadMethodError", NULL,
				    "%.20s is not allowed: this server is read-only", method);
	if (!u) {
		upload_begin(s, c, url, method, &u, &r);
		*request = u;
		return r;
	}
	if (*len == 0)
		return upload_end(u, c);
	upload_add(u, data, *len);
	*len = 0;
	return MHD_YES;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version ATTR_UNUSED,
				  const char *upload, size_t *upload_len, void **request)
{
	struct http *s = data;
	const char *spoken;

	if (!is_reading(method))
		return on_writing(s, c, url, method, upload, upload_len, request);
	if (!*request) {
		*request = &head_seen;
		return MHD_YES;
	}
	if (*upload_len) {
		*upload_len = 0;
		return MHD_YES;
	}
	spoken = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept-Version");
	if (!is_spoken(spoken))
		return answer_error(c, MHD_HTTP_BAD_REQUEST, "InvalidVersion", NULL,
				    "version %.20s is not spoken here: ~1 and ~2 are", spoken);
	return dispatch(s, c, url);
}

static void on_end(void *data ATTR_UNUSED, struct MHD_Connection *c ATTR_UNUSED, void **request,
		   enum MHD_RequestTerminationCode how ATTR_UNUSED)
{
	if (*request != &head_seen)
		upload_free(*request);
	*request = NULL;
}

/* ---- in the loop ----------------------------------------------------------------- */

static int on_turn(void *data, uint32_t events ATTR_UNUSED)
{
	struct http *s = data;
	MHD_UNSIGNED_LONG_LONG in_ms;
	struct err e;

	event_source_free(s->timer);
	s->timer = NULL;
	if (MHD_run(s->daemon) != MHD_YES)
		log_warning("the HTTP library is in trouble");
	if (MHD_get_timeout(s->daemon, &in_ms) == MHD_YES &&
	    event_add_timer(s->loop, in_ms, on_turn, s, &s->timer, &e) < 0)
		log_warning("%s", e.msg);
	return 0;
}

static struct MHD_Daemon *start(struct http *s, int fd, const char *certificate,
				const char *key)
{
	const struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key },
		{ MHD_OPTION_END, 0, NULL },
	};
	const struct MHD_OptionItem plain[] = { { MHD_OPTION_END, 0, NULL } };

	return MHD_start_daemon(MHD_USE_EPOLL | (certificate ? MHD_USE_TLS : 0U), 0, NULL, NULL,
				on_request, s, MHD_OPTION_LISTEN_SOCKET, fd,
				MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
				MHD_OPTION_PER_IP_CONNECTION_LIMIT, CONNECTIONS_PER_ONE,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				(size_t)CONNECTION_KIB * 1024, MHD_OPTION_CONNECTION_TIMEOUT,
				(unsigned int)IDLE_S, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
				MHD_OPTION_ARRAY, certificate ? tls : plain, MHD_OPTION_END);
}

int http_start(struct http *s, int fd, const char *certificate, const char *key, struct err *e)
{
	const union MHD_DaemonInfo *info;

	s->daemon = start(s, fd, certificate, key);
	if (!s->daemon) {
		(void)close(fd);
		return err_set(e, -EIO, "cannot serve %s",
			       certificate ? "HTTPS: do the certificate and the key belong "
					     "together, and are both PEM?"
					   : "HTTP");
	}
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return err_set(e, -EIO, "cannot serve HTTP: no epoll");
	return event_add_io(s->loop, info->epoll_fd, EPOLLIN, on_turn, s, &s->source, e);
}

void http_stop(struct http *s)
{
	event_source_free(s->source);
	event_source_free(s->timer);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
}
