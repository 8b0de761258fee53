/* SPDX-License-Identifier: MIT */
#include "librecord/record_shadow.h"

#include "base/buf.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "base/uuid.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHADOW_MAX 4096

typedef char shadow_name[UUID_STR + sizeof(".xml.new")];

static void add_attribute(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, " %s=\"", name);
	for (; *value; value++) {
		if (strchr("<>&\"", *value))
			buf_addf(b, "&#%d;", *value);
		else
			buf_addc(b, *value);
	}
	buf_addc(b, '"');
}

static void fill(struct buf *b, const char *uuid, const struct jv *record)
{
	const char *brand = jv_get_string(record, "brand");

	buf_adds(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		    "<!-- Made from the record beside it. A change here changes nothing. -->\n"
		    "<zone");
	add_attribute(b, "name", uuid);
	buf_addf(b, " zonepath=\"/zones/%s\"", uuid);
	add_attribute(b, "autoboot", jv_get_bool(record, "autoboot", false) ? "true" : "false");
	add_attribute(b, "brand", brand ? brand : "");
	buf_adds(b, ">\n");
	if (jv_get_bool(record, "do_not_inventory", false))
		buf_adds(b, "  <attr name=\"do-not-inventory\" type=\"string\" "
			    "value=\"true\"/>\n");
	buf_adds(b, "</zone>\n");
}

static bool is_there(int recordsfd, const char *name, const struct buf *b)
{
	cleanup_free char *text = NULL;
	size_t len;

	return file_read_all(recordsfd, name, SHADOW_MAX, &text, &len, NULL) == 0 &&
	       len == b->len && memcmp(text, b->data, len) == 0;
}

static bool write_new(int recordsfd, const char *name, const struct buf *b)
{
	cleanup_close int fd = openat(
		recordsfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd >= 0 && file_write_fd(fd, b->data, b->len) == 0;
}

void record_shadow_store(int recordsfd, const char *uuid, const struct jv *record)
{
	cleanup_buf struct buf b = BUF_INIT;
	shadow_name name, fresh;

	fill(&b, uuid, record);
	(void)snprintf(name, sizeof(name), "%s.xml", uuid);
	(void)snprintf(fresh, sizeof(fresh), ".%s.xml.new", uuid);
	if (is_there(recordsfd, name, &b))
		return;
	if (!write_new(recordsfd, fresh, &b) || renameat(recordsfd, fresh, recordsfd, name) < 0)
		(void)unlinkat(recordsfd, fresh, 0);
}

int record_shadow_remove(int recordsfd, const char *uuid, struct err *e)
{
	shadow_name name;

	(void)snprintf(name, sizeof(name), "%s.xml", uuid);
	if (unlinkat(recordsfd, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove '%s'", name);
	file_remove_half_written(recordsfd, name);
	return 0;
}
