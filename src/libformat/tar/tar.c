/* SPDX-License-Identifier: MIT */
#include "libformat/tar/tar.h"

#include "base/alloc.h"
#include "base/path.h"
#include "libformat/tar/layer.h"
#include "libformat/tar/tar_private.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK     (256U << 10)
#define DEPTH_MAX 256 /* folders in folders; what makes them deeper is no image */

struct tar_dir {
	char *path;
	struct timespec mtime;
};

struct source {
	struct image_input *in;
	char block[BLOCK];
};

static la_ssize_t read_block(struct archive *a, void *data, const void **ret_block)
{
	struct source *src = data;
	size_t len = 0;

	/* A pipe gives little at a time, the archive library works best with much. */
	while (len < sizeof(src->block)) {
		ssize_t n =
			image_input_read(src->in, src->block + len, sizeof(src->block) - len);

		if (n < 0) {
			archive_set_error(a, errno, "cannot read the archive");
			return -1;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_block = src->block;
	return (la_ssize_t)len;
}

/* Appends one part of a name; false when it is too long. */
static bool append(char *clean, size_t *len, const char *part, size_t part_len)
{
	if (part_len > NAME_MAX || *len + part_len + 2 > TAR_NAME_MAX)
		return false;
	if (*len)
		clean[(*len)++] = '/';
	memcpy(clean + *len, part, part_len);
	*len += part_len;
	return true;
}

int tar_clean_name(const char *path, char clean[static TAR_NAME_MAX + 1], struct err *e)
{
	unsigned int depth = 0;
	size_t len = 0;

	if (!*path)
		return err_set(e, -EINVAL, "an entry has an empty name");
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.')
			return err_set(e, -EINVAL,
				       "entry '%.200s' would leave the image's root", path);
		if (n && !(n == 1 && *p == '.')) {
			if (!append(clean, &len, p, n) || ++depth > DEPTH_MAX)
				return err_set(
					e, -ENAMETOOLONG,
					"the name of entry '%.200s...' is too long or deep",
					path);
		}
		p += n;
		while (*p == '/')
			p++;
	}
	clean[len] = '\0';
	return 0;
}

static int open_below(const struct tar *t, const char *path, int flags)
{
	return path_openat2(t->rootfd, path, flags, 0, t->resolve);
}

/* Folders that the archive does not name, each as its first file needs it. */
static int make_folders(const struct tar *t, char *path)
{
	int r = 0;

	for (char *slash = path; r == 0 && slash;) {
		int fd;

		slash = strchr(slash, '/');
		if (slash)
			*slash = '\0';
		fd = open_below(t, path, O_PATH | O_DIRECTORY);
		if (fd < 0 && errno == ENOENT) {
			char *base = strrchr(path, '/');
			int up;

			if (base)
				*base = '\0';
			up = base ? open_below(t, path, O_PATH | O_DIRECTORY) : dup(t->rootfd);
			if (base)
				*base = '/';
			r = up < 0 ? -errno : 0;
			if (r == 0 && mkdirat(up, base ? base + 1 : path, 0755) < 0)
				r = -errno;
			close_p(&up);
		} else if (fd < 0) {
			r = -errno;
		}
		close_p(&fd);
		if (slash)
			*slash++ = '/';
	}
	return r;
}

void tar_forget_parent(struct tar *t)
{
	close_p(&t->parentfd);
}

static int fail_parent(const char *clean, int code, struct err *e)
{
	if (code == -EXDEV)
		return err_set(e, -EINVAL,
			       "entry '%.200s' would leave the image's root through a "
			       "symbolic link",
			       clean);
	if (code == -ENOTDIR || code == -ELOOP)
		return err_set(e, -EINVAL,
			       "entry '%.200s' is below something that is no folder", clean);
	errno = -code;
	return err_sys(e, "cannot make the folder of '%.200s'", clean);
}

int tar_open_parent(struct tar *t, const char *clean, struct tar_place *ret, struct err *e)
{
	const char *slash = strrchr(clean, '/');
	size_t len = slash ? (size_t)(slash - clean) : 0;
	int r;

	ret->name = slash ? slash + 1 : *clean ? clean : ".";
	if (!slash) {
		ret->fd = t->rootfd;
		return 0;
	}
	if (t->parentfd >= 0 && strlen(t->parent) == len &&
	    memcmp(t->parent, clean, len) == 0) {
		ret->fd = t->parentfd;
		return 0;
	}
	tar_forget_parent(t);
	memcpy(t->parent, clean, len);
	t->parent[len] = '\0';
	t->parentfd = open_below(t, t->parent, O_RDONLY | O_DIRECTORY);
	if (t->parentfd < 0 && errno == ENOENT) {
		r = make_folders(t, t->parent);
		if (r < 0)
			return fail_parent(clean, r, e);
		t->parentfd = open_below(t, t->parent, O_RDONLY | O_DIRECTORY);
	}
	if (t->parentfd < 0)
		return fail_parent(clean, -errno, e);
	ret->fd = t->parentfd;
	return 0;
}

void tar_remember_dir(struct tar *t, const char *clean, const struct timespec *mtime)
{
	if (t->dir_count == t->dir_cap) {
		t->dir_cap = t->dir_cap ? 2 * t->dir_cap : 256;
		t->dirs = xrealloc_array(t->dirs, t->dir_cap, sizeof(*t->dirs));
	}
	t->dirs[t->dir_count].path = xstrdup(*clean ? clean : ".");
	t->dirs[t->dir_count++].mtime = *mtime;
}

/* A folder may have been replaced since: then its time is nobody's. */
static void set_dir_times(struct tar *t)
{
	for (size_t i = 0; i < t->dir_count; i++) {
		const struct timespec times[2] = { t->dirs[i].mtime, t->dirs[i].mtime };
		cleanup_close int fd =
			open_below(t, t->dirs[i].path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

		if (fd >= 0)
			(void)futimens(fd, times);
	}
}

void tar_find_parent(struct tar *t, const char *clean, struct tar_place *ret)
{
	const char *slash = strrchr(clean, '/');

	ret->name = slash ? slash + 1 : clean;
	ret->fd = t->rootfd;
	if (!slash)
		return;
	tar_forget_parent(t);
	memcpy(t->parent, clean, (size_t)(slash - clean));
	t->parent[slash - clean] = '\0';
	t->parentfd = open_below(t, t->parent, O_RDONLY | O_DIRECTORY);
	ret->fd = t->parentfd;
}

/* What takes away; true: CLEAN was that. */
static int take_marker(struct tar *t, const char *clean, bool *ret, struct err *e)
{
	struct tar_place place;
	enum layer_name kind;
	const char *target = NULL;
	int r = layer_classify(clean, &kind, &target, e);

	*ret = kind != LAYER_PLAIN;
	if (r < 0 || kind == LAYER_PLAIN || kind == LAYER_IGNORED)
		return r;
	tar_find_parent(t, clean, &place);
	/* Not there, or no folder: nothing of it is below. */
	if (place.fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail_parent(clean, -errno, e);
	r = kind == LAYER_OPAQUE ? layer_empty(t->layer, place.fd, e)
				 : layer_take_away(t->layer, place.fd, target, e);
	/* A link on the way to the open folder may be gone. */
	tar_forget_parent(t);
	return r;
}

static int read_layer_entry(struct tar *t, struct archive_entry *entry, const char *clean,
			    struct err *e)
{
	struct tar_place place;
	bool is_marker = false;
	int r = take_marker(t, clean, &is_marker, e);

	if (r < 0 || is_marker)
		return r;
	r = tar_write_entry(t, entry, clean, e);
	if (r < 0 || !*clean)
		return r;
	r = tar_open_parent(t, clean, &place, e);
	return r < 0 ? r : layer_add(t->layer, place.fd, place.name, e);
}

static int read_entry(struct tar *t, struct archive_entry *entry, struct err *e)
{
	char clean[TAR_NAME_MAX + 1];
	const char *path = archive_entry_pathname(entry);
	int r;

	if (!path)
		return err_set(e, -EINVAL, "entry %llu has a name that cannot be read",
			       (unsigned long long)t->counts.entries + 1);
	if (++t->counts.entries > t->limits->entries)
		return err_set(e, -E2BIG, "the archive has more than %llu entries",
			       (unsigned long long)t->limits->entries);
	r = tar_clean_name(path, clean, e);
	if (r == 0 && t->layer)
		return read_layer_entry(t, entry, clean, e);
	return r < 0 ? r : tar_write_entry(t, entry, clean, e);
}

static int fail_archive(struct archive *a, struct err *e)
{
	const char *text = archive_error_string(a);

	if (text && strstr(text, "Unrecognized archive format"))
		return err_set(e, -EINVAL, "the file is not a tar archive");
	return err_set(e, -EINVAL, "the archive is damaged: %s",
		       text ? text : "unknown reason");
}

static int read_entries(struct tar *t, struct err *e)
{
	struct archive_entry *entry;
	int r = 0, status = ARCHIVE_OK;

	while (r == 0 && (status = archive_read_next_header(t->in, &entry)) != ARCHIVE_EOF) {
		if (status == ARCHIVE_RETRY)
			continue;
		if (status < ARCHIVE_WARN)
			return fail_archive(t->in, e);
		r = read_entry(t, entry, e);
	}
	/* One that adds nothing is a layer all the same. */
	if (r == 0 && t->counts.entries == 0 && !t->layer)
		r = err_set(e, -EINVAL, "the archive is empty");
	return r;
}

int tar_write(struct image_input *in, int rootfd, const struct extract_limits *limits,
	      struct extract_counts *ret_counts, struct err *e)
{
	struct tar t = { .rootfd = rootfd,
			 .limits = limits,
			 .parentfd = -1,
			 .layer = limits->layer ? layer_new() : NULL,
			 .resolve = limits->layer ? RESOLVE_IN_ROOT : RESOLVE_BENEATH };
	cleanup_free struct source *src = xcalloc(1, sizeof(*src));
	int r;

	src->in = in;
	t.in = archive_read_new();
	if (!t.in)
		abort(); /* memory */
	(void)archive_read_support_format_tar(t.in);
	r = archive_read_open(t.in, src, NULL, read_block, NULL) == ARCHIVE_OK
		    ? read_entries(&t, e)
		    : fail_archive(t.in, e);
	if (r == 0)
		r = image_input_drain(in, e);
	if (r == 0) {
		set_dir_times(&t);
		*ret_counts = t.counts;
	}
	tar_forget_parent(&t);
	layer_free(t.layer);
	for (size_t i = 0; i < t.dir_count; i++)
		free(t.dirs[i].path);
	free(t.dirs);
	(void)archive_read_free(t.in);
	return r;
}
