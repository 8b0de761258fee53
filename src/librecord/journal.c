/* SPDX-License-Identifier: MIT */
#include "librecord/journal.h"

#include "base/fileio.h"
#include "base/jv.h"
#include "base/path.h"
#include "base/uuid.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SUFFIX ".json"

typedef char journal_name[UUID_LEN + sizeof(SUFFIX)];

static const char *const op_names[] = {
	[JOURNAL_NONE] = "none",
	[JOURNAL_CREATE] = "create",
	[JOURNAL_DELETE] = "delete",
	[JOURNAL_UPDATE] = "update",
	[JOURNAL_SNAPSHOT] = "create-snapshot",
	[JOURNAL_UNSNAPSHOT] = "delete-snapshot",
	[JOURNAL_ROLLBACK] = "rollback-snapshot",
	[JOURNAL_REPROVISION] = "reprovision",
	[JOURNAL_RECEIVE] = "receive",
};
_Static_assert(ARRAY_SIZE(op_names) == JOURNAL_OP_MAX_, "an operation without a name");

const char *journal_op_name(enum journal_op op)
{
	return op_names[op];
}

static void file_name(journal_name ret, const char *uuid)
{
	(void)snprintf(ret, sizeof(journal_name), "%.*s" SUFFIX, UUID_LEN, uuid);
}

int journal_begin(const struct host *h, const char *uuid, enum journal_op op,
		  const struct jv *args, struct err *e)
{
	cleanup_jv struct jv *entry = jv_object();
	cleanup_close int dirfd = -1;
	journal_name name;
	int r;

	dirfd = host_dir(h, HOST_JOURNAL, 0700, e);
	if (dirfd < 0)
		return dirfd;
	jv_set(entry, "v", jv_int(1));
	jv_set(entry, "op", jv_string(op_names[op]));
	jv_set(entry, "uuid", jv_string(uuid));
	jv_set(entry, "started", jv_int(time(NULL)));
	if (args)
		jv_set(entry, "args", jv_copy(args));
	file_name(name, uuid);
	r = jv_store(dirfd, name, entry, e);
	return r < 0 ? err_wrap(e, r, "journal of VM %s", uuid) : 0;
}

int journal_end(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_close int dirfd = -1;
	journal_name name;

	dirfd = host_dir_existing(h, HOST_JOURNAL, e);
	if (dirfd == -ENOENT)
		return 0;
	if (dirfd < 0)
		return dirfd;
	file_name(name, uuid);
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove the journal of VM %s", uuid);
	file_remove_half_written(dirfd, name);
	return 0;
}

int journal_cancel(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_close int dirfd = -1;
	int r = journal_end(h, uuid, e);

	if (r < 0)
		return r;
	dirfd = host_dir_existing(h, HOST_JOURNAL, e);
	if (dirfd == -ENOENT)
		return 0;
	if (dirfd < 0)
		return dirfd;
	return fsync(dirfd) < 0 ? err_sys(e, "cannot sync '" HOST_JOURNAL "'") : 0;
}

int journal_read(const struct host *h, const char *uuid, enum journal_op *ret_op,
		 struct jv **ret_args, struct err *e)
{
	cleanup_jv struct jv *entry = NULL;
	cleanup_close int dirfd = -1;
	journal_name name;
	const char *op;
	int r;

	*ret_op = JOURNAL_NONE;
	if (ret_args)
		*ret_args = NULL;
	dirfd = host_dir_existing(h, HOST_JOURNAL, e);
	if (dirfd == -ENOENT)
		return 0;
	if (dirfd < 0)
		return dirfd;
	file_name(name, uuid);
	r = jv_load(dirfd, name, JOURNAL_MAX, &entry, e);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_wrap(e, r, "journal of VM %s", uuid);
	op = jv_get_string(entry, "op");
	for (int i = JOURNAL_CREATE; op && i < JOURNAL_OP_MAX_; i++)
		if (strcmp(op, op_names[i]) == 0)
			*ret_op = i;
	if (*ret_op == JOURNAL_NONE)
		return err_set(e, -EBADMSG,
			       HOST_JOURNAL
			       "/%s: /op '%s' is not known: written by a newer program",
			       name, op ? op : "");
	if (ret_args && jv_get(entry, "args"))
		*ret_args = jv_copy(jv_get(entry, "args"));
	return 0;
}

bool journal_is_there(const struct host *h, const char *uuid)
{
	cleanup_close int dirfd = host_dir_existing(h, HOST_JOURNAL, NULL);
	journal_name name;
	struct stat st;

	file_name(name, uuid);
	return dirfd >= 0 && fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

int journal_each(const struct host *h, int (*fn)(void *data, const char *uuid, struct err *e),
		 void *data, struct err *e)
{
	cleanup_with(close_dir) DIR *d = NULL;
	struct dirent *entry;
	int fd, r;

	fd = host_dir_existing(h, HOST_JOURNAL, e);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		r = err_sys(e, "cannot read '" HOST_JOURNAL "'");
		close_p(&fd);
		return r;
	}
	while ((r = path_next_entry(d, &entry, e)) > 0) {
		journal_name name;
		char uuid[UUID_STR];

		(void)snprintf(uuid, sizeof(uuid), "%.*s", UUID_LEN, entry->d_name);
		file_name(name, uuid);
		if (!uuid_is_valid(uuid) || strcmp(entry->d_name, name) != 0)
			continue;
		r = fn(data, uuid, e);
		if (r < 0)
			return r;
	}
	return r;
}
