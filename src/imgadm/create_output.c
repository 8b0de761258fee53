/* SPDX-License-Identifier: MIT */
/*
 * create_output.c - where the image goes.
 *
 * Without -o to NAME-VERSION here; with a folder, there; else -o is the beginning of both
 * paths; with -p to a nameless file on the pool, until it is published. What is killed
 * leaves nothing: the file has no name before it is whole.
 */
#include "imgadm/create.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A file's name of what may have blanks and slashes. New. */
static char *make_name(const struct jv *manifest)
{
	cleanup_free char *text = xasprintf("%s-%s", jv_get_string(manifest, "name"),
					    jv_get_string(manifest, "version"));
	struct buf b = BUF_INIT;

	for (const char *p = text; *p; p++) {
		if (isalnum((unsigned char)*p) || strchr("._-+", *p))
			buf_addc(&b, *p);
		else if (b.len && b.data[b.len - 1] != '-')
			buf_addc(&b, '-');
	}
	return buf_take(&b);
}

static char *make_prefix(const struct creation *c)
{
	cleanup_free char *name = make_name(c->manifest);
	const char *to = cli_get(c->call, "o");
	struct stat st;

	if (!to)
		return take_ptr(name);
	if (stat(to, &st) == 0 && S_ISDIR(st.st_mode))
		return xasprintf("%s%s%s", to, to[strlen(to) - 1] == '/' ? "" : "/", name);
	return xstrdup(to);
}

static const char *suffix(enum compression c)
{
	static const char *const suffixes[COMPRESSION_MAX_] = {
		[COMPRESSION_NONE] = "",      [COMPRESSION_GZIP] = ".gz",
		[COMPRESSION_BZIP2] = ".bz2", [COMPRESSION_XZ] = ".xz",
		[COMPRESSION_ZSTD] = ".zst",
	};

	return suffixes[c];
}

/* Not in memory, as /tmp and /var/tmp may be. */
static int begin_nameless(const struct creation *c, struct output *ret, struct err *e)
{
	cleanup_free char *name = make_name(c->manifest);

	ret->name = xasprintf("%s.tar%s", name, suffix(c->compression));
	ret->dirfd = host_dir_existing(c->host, HOST_POOL, e);
	if (ret->dirfd < 0)
		return ret->dirfd;
	ret->fd = openat(ret->dirfd, ".", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	return ret->fd < 0 ? err_sys(e, "cannot make a file on the pool") : 0;
}

int output_begin(const struct creation *c, struct output *ret, struct err *e)
{
	const char *slash;
	cleanup_free char *new = NULL;

	if (c->target.url)
		return begin_nameless(c, ret, e);
	ret->prefix = make_prefix(c);
	slash = strrchr(ret->prefix, '/');
	ret->dir =
		slash ? xstrndup(ret->prefix, (size_t)(slash - ret->prefix) + 1) : xstrdup(".");
	ret->name =
		xasprintf("%s.tar%s", slash ? slash + 1 : ret->prefix, suffix(c->compression));
	ret->dirfd = open(ret->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->dirfd < 0)
		return err_sys(e, "cannot open the folder '%s'", ret->dir);
	ret->fd = openat(ret->dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (ret->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		new = xasprintf(".%s.new", ret->name);
		ret->named = true;
		ret->fd = openat(ret->dirfd, new, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	}
	return ret->fd < 0 ? err_sys(e, "cannot make a file in '%s'", ret->dir) : 0;
}

/* In the place of what has the name. */
static int replace(struct output *o, const char *self, const char *new)
{
	if (!o->named) {
		(void)unlinkat(o->dirfd, new, 0);
		if (linkat(AT_FDCWD, self, o->dirfd, new, AT_SYMLINK_FOLLOW) < 0)
			return -1;
		o->named = true;
	}
	if (renameat(o->dirfd, new, o->dirfd, o->name) < 0)
		return -1;
	o->named = false;
	return 0;
}

static int give_name(struct output *o, struct err *e)
{
	cleanup_free char *self = xasprintf("/proc/self/fd/%d", o->fd);
	cleanup_free char *new = xasprintf(".%s.new", o->name);

	if (fsync(o->fd) < 0)
		return err_sys(e, "cannot write '%s'", o->name);
	/* One step where that is enough: nothing is left between two. */
	if (!o->named && linkat(AT_FDCWD, self, o->dirfd, o->name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	return replace(o, self, new) < 0 ? err_sys(e, "cannot name '%s'", o->name) : 0;
}

int output_end(const struct creation *c, struct output *o, struct err *e)
{
	const char *slash = strrchr(o->prefix, '/');
	cleanup_free char *manifest =
		xasprintf("%s.imgmanifest", slash ? slash + 1 : o->prefix);
	int r = give_name(o, e);

	if (r == 0)
		r = jv_store(o->dirfd, manifest, c->manifest, e);
	return r;
}

void output_done(struct output *o)
{
	cleanup_free char *new = o->name ? xasprintf(".%s.new", o->name) : NULL;

	if (o->named && o->dirfd >= 0)
		(void)unlinkat(o->dirfd, new, 0);
	close_p(&o->fd);
	close_p(&o->dirfd);
	free(o->prefix);
	free(o->dir);
	free(o->name);
}
