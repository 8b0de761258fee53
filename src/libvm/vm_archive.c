/* SPDX-License-Identifier: MIT */
#include "libvm/vm_archive.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "base/path.h"
#include "libsys/host.h"
#include "librecord/fault.h"
#include "librecord/record.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARCHIVE HOST_POOL "/archive"

/* Half a copy has another name, so what has the name is whole. */
static int copy_file(int from, int to, const char *name, struct err *e)
{
	cleanup_free char *half = xasprintf(".%s.new", name);
	cleanup_close int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int out = -1;
	ssize_t n;

	if (in < 0)
		return err_sys(e, "cannot open the log '%s'", name);
	(void)unlinkat(to, half, 0);
	out = openat(to, half, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(e, "cannot make '%s' in the archive", half);
	while ((n = sendfile(out, in, NULL, (size_t)1 << 24)) > 0)
		;
	if (n < 0 || fsync(out) < 0 || renameat(to, half, to, name) < 0)
		return err_sys(e, "cannot copy the log '%s' to the archive", name);
	return 0;
}

static bool is_file(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* Takes FROM. */
static int copy_files(int from, int to, struct err *e)
{
	DIR *dir = fdopendir(from);
	struct dirent *d;
	int r = 0;

	if (!dir) {
		r = err_sys(e, "cannot read the logs");
		(void)close(from);
		return r;
	}
	while (r >= 0 && (r = path_next_entry(dir, &d, e)) > 0)
		if (is_file(dirfd(dir), d->d_name))
			r = copy_file(dirfd(dir), to, d->d_name, e);
	(void)closedir(dir);
	return r;
}

static int copy_logs(const struct host *h, const char *uuid, int dirfd, struct err *e)
{
	cleanup_free char *path = xasprintf(HOST_POOL "/%s/logs", uuid);
	cleanup_close int to = -1;
	int from = host_dir_existing(h, path, e);
	int r;

	if (from == -ENOENT)
		return 0;
	if (from < 0)
		return from;
	if (mkdirat(dirfd, "logs", 0700) < 0 && errno != EEXIST) {
		r = err_sys(e, "cannot make the folder 'logs' in the archive");
		(void)close(from);
		return r;
	}
	to = openat(dirfd, "logs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0) {
		r = err_sys(e, "cannot open the folder 'logs' in the archive");
		(void)close(from);
		return r;
	}
	r = copy_files(from, to, e);
	if (r == 0 && fsync(to) < 0)
		return err_sys(e, "cannot sync the archive");
	return r;
}

int vm_archive(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_close int archive = -1, dirfd = -1;
	cleanup_jv struct jv *record = NULL;
	int r;

	/* Without a record that can be read nobody has asked for it. */
	if (record_load(h, uuid, &record, NULL) < 0 ||
	    !jv_get_bool(record, "archive_on_delete", false))
		return 0;
	archive = host_dir_existing(h, ARCHIVE, e);
	if (archive == -ENOENT)
		return 0;
	if (archive < 0)
		return archive;
	if (mkdirat(archive, uuid, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make the folder '%s' in the archive", uuid);
	dirfd = openat(archive, uuid, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dirfd < 0)
		return err_sys(e, "cannot open the folder '%s' in the archive", uuid);
	r = copy_logs(h, uuid, dirfd, e);
	if (r == 0)
		r = jv_store(dirfd, "record.json", record, e);
	if (r == 0 && fsync(archive) < 0)
		r = err_sys(e, "cannot sync the archive");
	return r < 0 ? err_wrap(e, r, "archive of VM %s", uuid) : fault_point("archived", e);
}
