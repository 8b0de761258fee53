/* SPDX-License-Identifier: MIT */
#include "libformat/tar/layer.h"

#include "base/alloc.h"
#include "base/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#define MARK      ".wh."
#define OPAQUE    ".wh..wh..opq"
#define AUFS      ".wh..wh."
#define SLOTS_MIN 1024
#define DEPTH_MAX 300 /* more than any name of an archive has */

/* ---- the names that the layer brought ------------------------------------- */

struct layer {
	uint64_t *slots; /* 0: free */
	size_t size;     /* a power of two */
	size_t count;
};

struct layer *layer_new(void)
{
	struct layer *l = xcalloc(1, sizeof(*l));

	l->size = SLOTS_MIN;
	l->slots = xcalloc(l->size, sizeof(*l->slots));
	return l;
}

void layer_free(struct layer *l)
{
	if (!l)
		return;
	free(l->slots);
	free(l);
}

/*
 * Two names with one key would be one name too many that stays; whoever makes such an image
 * could have left the marker out.
 */
static uint64_t key_of(uint64_t folder, const char *name)
{
	uint64_t h = 0xcbf29ce484222325U ^ (folder * 0x9e3779b97f4a7c15U);

	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		h = (h ^ *p) * 0x100000001b3U;
	h ^= h >> 32;
	return h ? h : 1;
}

static uint64_t *slot_of(uint64_t *slots, size_t size, uint64_t key)
{
	size_t i = (size_t)key & (size - 1);

	while (slots[i] && slots[i] != key)
		i = (i + 1) & (size - 1);
	return &slots[i];
}

static void grow(struct layer *l)
{
	uint64_t *slots = xcalloc(l->size * 2, sizeof(*slots));

	for (size_t i = 0; i < l->size; i++)
		if (l->slots[i])
			*slot_of(slots, l->size * 2, l->slots[i]) = l->slots[i];
	free(l->slots);
	l->slots = slots;
	l->size *= 2;
}

static int number_of(int dirfd, uint64_t *ret, struct err *e)
{
	struct stat st;

	if (fstat(dirfd, &st) < 0)
		return err_sys(e, "cannot look at a folder of the image");
	*ret = st.st_ino;
	return 0;
}

int layer_add(struct layer *l, int dirfd, const char *name, struct err *e)
{
	uint64_t folder, *slot;
	int r = number_of(dirfd, &folder, e);

	if (r < 0)
		return r;
	slot = slot_of(l->slots, l->size, key_of(folder, name));
	if (*slot)
		return 0;
	*slot = key_of(folder, name);
	if (++l->count * 2 > l->size)
		grow(l);
	return 0;
}

static bool brought(const struct layer *l, uint64_t folder, const char *name)
{
	return l && *slot_of(l->slots, l->size, key_of(folder, name));
}

/* ---- markers -------------------------------------------------------------- */

static bool is_marked(const char *part)
{
	return strncmp(part, MARK, strlen(MARK)) == 0;
}

static int classify_last(const char *clean, const char *last, enum layer_name *ret,
			 const char **ret_target, struct err *e)
{
	const char *target = last + strlen(MARK);

	if (strcmp(last, OPAQUE) == 0) {
		*ret = LAYER_OPAQUE;
		return 0;
	}
	if (strncmp(last, AUFS, strlen(AUFS)) == 0) {
		*ret = LAYER_IGNORED;
		return 0;
	}
	if (!*target || strcmp(target, ".") == 0 || strcmp(target, "..") == 0)
		return err_set(e, -EINVAL, "entry '%.200s' would take away what has no name",
			       clean);
	*ret = LAYER_WHITEOUT;
	*ret_target = target;
	return 0;
}

int layer_classify(const char *clean, enum layer_name *ret, const char **ret_target,
		   struct err *e)
{
	const char *slash, *part = clean;

	*ret = LAYER_PLAIN;
	for (; (slash = strchr(part, '/')); part = slash + 1) {
		if (strncmp(part, AUFS, strlen(AUFS)) == 0) {
			*ret = LAYER_IGNORED;
			return 0;
		}
		if (is_marked(part))
			return err_set(e, -EINVAL,
				       "entry '%.200s' is below a name that takes away", clean);
	}
	return is_marked(part) ? classify_last(clean, part, ret, ret_target, e) : 0;
}

/* ---- taking away ---------------------------------------------------------- */

static int prune(const struct layer *l, int dirfd, const char *name, unsigned int depth,
		 struct err *e);

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* All that is in FD, which is closed. */
static int prune_entries(const struct layer *l, int fd, unsigned int depth, struct err *e)
{
	DIR *dir = fdopendir(fd);
	struct dirent *d;
	int r = 0;

	if (!dir) {
		r = err_sys(e, "cannot read a folder of the image");
		(void)close(fd);
		return r;
	}
	while (r >= 0 && (r = path_next_entry(dir, &d, e)) > 0)
		if (!is_dots(d->d_name))
			r = prune(l, dirfd(dir), d->d_name, depth, e);
	(void)closedir(dir);
	return r;
}

static int prune_folder(const struct layer *l, int dirfd, const char *name, bool keep,
			unsigned int depth, struct err *e)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(e, "cannot open the folder '%.200s' to empty it", name);
	if (depth > DEPTH_MAX) {
		(void)close(fd);
		return err_set(e, -ELOOP, "folder '%.200s' is too deep", name);
	}
	r = prune_entries(l, fd, depth + 1, e);
	if (r < 0 || keep || unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return r;
	/* It has what the layer brought. */
	return errno == ENOTEMPTY ? 0 : err_sys(e, "cannot take away '%.200s'", name);
}

static int prune(const struct layer *l, int dirfd, const char *name, unsigned int depth,
		 struct err *e)
{
	uint64_t folder = 0;
	struct stat st;
	bool keep;
	int r = l ? number_of(dirfd, &folder, e) : 0;

	if (r < 0)
		return r;
	keep = brought(l, folder, name);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot look at '%.200s'", name);
	if (S_ISDIR(st.st_mode))
		return prune_folder(l, dirfd, name, keep, depth, e);
	if (!keep && unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot take away '%.200s'", name);
	return 0;
}

int layer_take_away(const struct layer *l, int dirfd, const char *name, struct err *e)
{
	return prune(l, dirfd, name, 0, e);
}

int layer_empty(const struct layer *l, int dirfd, struct err *e)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "cannot open a folder of the image to empty it")
		      : prune_entries(l, fd, 0, e);
}

int layer_remove_tree(int dirfd, const char *name, struct err *e)
{
	return prune(NULL, dirfd, name, 0, e);
}
