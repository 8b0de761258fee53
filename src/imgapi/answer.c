/* SPDX-License-Identifier: MIT */
#include "imgapi/imgapi.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "imgapi/range.h"
#include "libsource/source_auth.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	(void)MHD_add_response_header(response, name, value);
}

enum MHD_Result answer(struct MHD_Connection *c, unsigned int status,
		       struct MHD_Response *response, const char *etag)
{
	cleanup_free char *quoted = etag ? xasprintf("\"%s\"", etag) : NULL;
	enum MHD_Result r;

	if (!response)
		return MHD_NO;
	add_header(response, MHD_HTTP_HEADER_SERVER, "dais-imgapi");
	if (quoted)
		add_header(response, MHD_HTTP_HEADER_ETAG, quoted);
	r = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return r;
}

enum MHD_Result answer_text(struct MHD_Connection *c, unsigned int status, char *text,
			    const char *etag)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);

	if (response)
		add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	if (response && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		add_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	return answer(c, status, response, etag);
}

enum MHD_Result answer_error(struct MHD_Connection *c, unsigned int status, const char *code,
			     const char *field, const char *fmt, ...)
{
	cleanup_jv struct jv *v = jv_object();
	char msg[ERR_MSG_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, args);
	va_end(args);
	jv_set(v, "code", jv_string(code));
	jv_set(v, "message", jv_string(msg));
	if (field) {
		struct jv *errors = jv_array(), *one = jv_object();

		jv_set(one, "field", jv_string(field));
		jv_set(one, "code", jv_string("Invalid"));
		jv_set(one, "message", jv_string(msg));
		jv_push(errors, one);
		jv_set(v, "errors", errors);
	}
	return answer_text(c, status, jv_dump(v, 0), NULL);
}

bool answer_is_known(struct MHD_Connection *c, const char *etag)
{
	return range_tag_is_in(header(c, MHD_HTTP_HEADER_IF_NONE_MATCH), etag, true);
}

/* A part is for those who have the rest of the same file: by its tag, or by its date. */
static bool is_same_file(struct MHD_Connection *c, const char *etag, const char *date)
{
	const char *of = header(c, MHD_HTTP_HEADER_IF_RANGE);

	if (!of)
		return true;
	return strcmp(of, date) == 0 || (*of == '"' && range_tag_is_in(of, etag, false));
}

static enum MHD_Result answer_beyond(struct MHD_Connection *c, int fd, int64_t size)
{
	cleanup_free char *all = xasprintf("bytes */%" PRId64, size);
	static const char text[] = "{\"code\":\"RequestedRangeNotSatisfiable\","
				   "\"message\":\"the file has no such part\"}";
	struct MHD_Response *response = MHD_create_response_from_buffer(
		sizeof(text) - 1, (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

	(void)close(fd);
	if (response) {
		add_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, all);
		add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	}
	return answer(c, MHD_HTTP_RANGE_NOT_SATISFIABLE, response, NULL);
}

enum MHD_Result answer_file(struct MHD_Connection *c, int fd, const struct stat *st,
			    const char *etag)
{
	uint64_t size = (uint64_t)st->st_size, from = 0, len = size;
	cleanup_free char *part = NULL;
	struct MHD_Response *response;
	char date[SOURCE_AUTH_DATE];
	enum range range = RANGE_WHOLE;

	source_auth_date(st->st_mtime, date);
	if (is_same_file(c, etag, date))
		range = range_parse(header(c, MHD_HTTP_HEADER_RANGE), size, &from, &len);
	if (range == RANGE_BEYOND)
		return answer_beyond(c, fd, st->st_size);
	response = MHD_create_response_from_fd_at_offset64(len, fd, from);
	if (!response) {
		(void)close(fd);
		return MHD_NO;
	}
	add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream");
	add_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	add_header(response, MHD_HTTP_HEADER_LAST_MODIFIED, date);
	if (range == RANGE_WHOLE)
		return answer(c, MHD_HTTP_OK, response, etag);
	part = xasprintf("bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from, from + len - 1, size);
	add_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, part);
	return answer(c, MHD_HTTP_PARTIAL_CONTENT, response, etag);
}
