/* SPDX-License-Identifier: MIT */
#include "librecord/record.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fileio.h"
#include "librecord/record_shadow.h"
#include "base/jv_skim.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SUFFIX     ".json"
#define SUFFIX_LEN (sizeof(SUFFIX) - 1)

/* "UUID.json", and room for what the compiler cannot know about UUID. */
typedef char record_name[UUID_LEN + SUFFIX_LEN + 1];

static void file_name(record_name ret, const char *uuid)
{
	(void)snprintf(ret, sizeof(record_name), "%.*s" SUFFIX, UUID_LEN, uuid);
}

static int absent(const char *uuid, struct err *e)
{
	return err_set(e, -ENOENT, "zoneadm: %s: No such zone configured", uuid);
}

/* What a file must be before anybody may rely on it as the record of UUID. */
static int check_frame(const struct jv *record, const char *uuid, struct err *e)
{
	const char *name = jv_get_string(record, "uuid");
	int64_t version = jv_get_int(record, "v", -1);

	if (jv_type(record) != JV_OBJECT)
		return err_set(e, -EBADMSG, HOST_RECORDS "/%s" SUFFIX ": is not an object",
			       uuid);
	if (!name || strcmp(name, uuid) != 0)
		return err_set(e, -EBADMSG,
			       HOST_RECORDS "/%s" SUFFIX ": /uuid must be the file's name",
			       uuid);
	if (version < 1 || version > RECORD_VERSION)
		return err_set(e, -EBADMSG,
			       HOST_RECORDS "/%s" SUFFIX
					    ": /v must be a version up to %d, written by a "
					    "program of this age",
			       uuid, RECORD_VERSION);
	return 0;
}

int record_load_at(int recordsfd, const char *uuid, struct jv **ret_record, struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	record_name name;
	int r;

	file_name(name, uuid);
	r = jv_load(recordsfd, name, RECORD_MAX, &record, e);
	if (r == -ENOENT)
		return absent(uuid, e);
	if (r < 0)
		return err_wrap(e, r, "record of VM %s", uuid);
	r = check_frame(record, uuid, e);
	if (r < 0)
		return r;
	*ret_record = take_ptr(record);
	return 0;
}

static bool is_member(const void *data, const char *name, size_t len)
{
	const struct record_members *members = data;

	if ((len == 4 && memcmp(name, "uuid", 4) == 0) || (len == 1 && *name == 'v'))
		return true;
	for (size_t i = 0; i < members->count; i++)
		if (strlen(members->names[i]) == len &&
		    memcmp(members->names[i], name, len) == 0)
			return true;
	return false;
}

int record_load_members(int recordsfd, const char *uuid, const struct record_members *members,
			struct jv **ret_record, struct err *e)
{
	cleanup_jv struct jv *record = NULL;
	cleanup_free char *text = NULL;
	cleanup_buf struct buf few = BUF_INIT;
	record_name name;
	size_t len;
	int r;

	if (!members)
		return record_load_at(recordsfd, uuid, ret_record, e);
	file_name(name, uuid);
	r = file_read_all(recordsfd, name, RECORD_MAX, &text, &len, e);
	if (r == -ENOENT)
		return absent(uuid, e);
	if (r < 0)
		return err_wrap(e, r, "record of VM %s", uuid);
	/* What cannot be skimmed is wrong somewhere; the whole way finds out where. */
	if (!jv_skim(text, len, is_member, members, &few) ||
	    jv_parse(buf_str(&few), few.len, name, &record, NULL) < 0)
		return record_load_at(recordsfd, uuid, ret_record, e);
	r = check_frame(record, uuid, e);
	if (r < 0)
		return r;
	*ret_record = take_ptr(record);
	return 0;
}

int record_load(const struct host *h, const char *uuid, struct jv **ret_record, struct err *e)
{
	cleanup_close int dirfd = -1;

	dirfd = host_dir_existing(h, HOST_RECORDS, e);
	if (dirfd == -ENOENT)
		return absent(uuid, e);
	if (dirfd < 0)
		return dirfd;
	return record_load_at(dirfd, uuid, ret_record, e);
}

int record_store(const struct host *h, const char *uuid, const struct jv *record, struct err *e)
{
	cleanup_close int dirfd = -1;
	cleanup_free char *text = NULL;
	record_name name;
	size_t len;
	int r;

	text = jv_dump(record, 2);
	len = strlen(text);
	if (len >= RECORD_MAX)
		return err_set(e, -EFBIG, "record of VM %s: would be larger than %zu bytes",
			       uuid, RECORD_MAX);
	/* The terminating '\0' makes room for the line's end. */
	text[len] = '\n';

	dirfd = host_dir(h, HOST_RECORDS, 0700, e);
	if (dirfd < 0)
		return dirfd;
	file_name(name, uuid);
	r = file_write_atomic(dirfd, name, text, len + 1, e);
	if (r == 0)
		record_shadow_store(dirfd, uuid, record);
	return r;
}

int record_remove(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_close int dirfd = -1;
	record_name name;
	int r;

	dirfd = host_dir_existing(h, HOST_RECORDS, e);
	if (dirfd == -ENOENT)
		return 0;
	if (dirfd < 0)
		return dirfd;
	file_name(name, uuid);
	r = record_shadow_remove(dirfd, uuid, e);
	if (r < 0)
		return r;
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove '" HOST_RECORDS "/%s'", name);
	file_remove_half_written(dirfd, name);
	if (fsync(dirfd) < 0)
		return err_sys(e, "cannot sync '" HOST_RECORDS "'");
	return 0;
}

int record_exists(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_close int dirfd = -1;
	record_name name;
	struct stat st;

	dirfd = host_dir_existing(h, HOST_RECORDS, e);
	if (dirfd == -ENOENT)
		return 0;
	if (dirfd < 0)
		return dirfd;
	file_name(name, uuid);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	return err_sys(e, "cannot look at '" HOST_RECORDS "/%s'", name);
}

/* Is NAME "UUID.json"? Temporary files, journals and what people left are not. */
static bool name_is_record(const char *name, record_uuid ret)
{
	if (strlen(name) != UUID_LEN + SUFFIX_LEN || strcmp(name + UUID_LEN, SUFFIX) != 0)
		return false;
	memcpy(ret, name, UUID_LEN);
	ret[UUID_LEN] = '\0';
	return uuid_is_valid(ret);
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

int record_list(const struct host *h, record_uuid **ret_uuids, size_t *ret_count, struct err *e)
{
	cleanup_with(close_dir) DIR *d = NULL;
	cleanup_free record_uuid *uuids = NULL;
	size_t count = 0, room = 0;
	int fd;

	fd = host_dir_existing(h, HOST_RECORDS, e);
	if (fd < 0 && fd != -ENOENT)
		return fd;
	d = fd < 0 ? NULL : fdopendir(fd);
	if (fd >= 0 && !d) {
		close_p(&fd);
		return err_sys(e, "cannot read '" HOST_RECORDS "'");
	}
	while (d) {
		struct dirent *entry;
		record_uuid uuid;

		errno = 0;
		entry = readdir(d);
		if (!entry && errno)
			return err_sys(e, "cannot read '" HOST_RECORDS "'");
		if (!entry)
			break;
		if (!name_is_record(entry->d_name, uuid))
			continue;
		if (count == room) {
			room = room ? room * 2 : 64;
			uuids = xrealloc_array(uuids, room, sizeof(*uuids));
		}
		memcpy(uuids[count++], uuid, sizeof(uuid));
	}
	*ret_uuids = take_ptr(uuids);
	*ret_count = count;
	return 0;
}
