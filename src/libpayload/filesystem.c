/* SPDX-License-Identifier: MIT */
#include "libpayload/filesystem.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/path.h"
#include "libpayload/problems.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_ROOM 256

/* Absolute, and no part is empty, "." or "..": there is one way to read it. */
static bool is_plain_path(const char *path)
{
	if (!path || *path != '/' || strlen(path) >= PATH_MAX)
		return false;
	while (*path) {
		size_t len;

		path++;
		len = strcspn(path, "/");
		if (len == 0 || len >= NAME_ROOM || (len == 1 && *path == '.') ||
		    (len == 2 && strncmp(path, "..", 2) == 0))
			return false;
		path += len;
	}
	return true;
}

/* Folders that the host mounts itself, and what is below them. */
static bool is_hosts_own(const char *target)
{
	static const char *const own[] = { "/dev", "/proc", "/sys" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		size_t len = strlen(own[i]);

		if (strncmp(target, own[i], len) == 0 && (!target[len] || target[len] == '/'))
			return true;
	}
	return false;
}

/* "size=64m": digits and perhaps one letter. */
static bool take_size(struct filesystem *fs, const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 12 || strlen(text) - digits > 1 ||
	    !strchr("kKmMgG", text[digits]))
		return false;
	(void)snprintf(fs->size, sizeof(fs->size), "%s", text);
	return true;
}

static bool take_option(struct filesystem *fs, const char *option)
{
	static const struct {
		const char *name;
		size_t field;
		bool value;
	} known[] = {
		{ "ro", offsetof(struct filesystem, read_only), true },
		{ "rw", offsetof(struct filesystem, read_only), false },
		{ "nosetuid", offsetof(struct filesystem, no_suid), true },
		{ "nosuid", offsetof(struct filesystem, no_suid), true },
		{ "setuid", offsetof(struct filesystem, no_suid), false },
		{ "suid", offsetof(struct filesystem, no_suid), false },
		{ "noexec", offsetof(struct filesystem, no_exec), true },
		{ "exec", offsetof(struct filesystem, no_exec), false },
		{ "nodevices", offsetof(struct filesystem, devices), false },
		{ "nodevice", offsetof(struct filesystem, devices), false },
		{ "nodev", offsetof(struct filesystem, devices), false },
		{ "devices", offsetof(struct filesystem, devices), true },
		{ "dev", offsetof(struct filesystem, devices), true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(option, known[i].name) == 0) {
			*(bool *)((char *)fs + known[i].field) = known[i].value;
			return true;
		}
	return !fs->source && strncmp(option, "size=", 5) == 0 && take_size(fs, option + 5);
}

static int take_options(struct filesystem *fs, const struct jv *options, struct err *e)
{
	for (size_t i = 0; i < jv_len(options); i++) {
		const char *option = jv_as_string(jv_at(options, i));

		if (!option || !take_option(fs, option))
			return err_set(e, -EINVAL,
				       "options: '%.40s' is none of ro, rw, nodevices, "
				       "nosetuid, setuid, noexec, exec, and size=N of a tmpfs",
				       option ? option : "");
	}
	return 0;
}

int filesystem_parse(const struct jv *entry, struct filesystem *ret_fs, struct err *e)
{
	const char *type = jv_get_string(entry, "type");
	struct filesystem fs = { .source = jv_get_string(entry, "source"),
				 .target = jv_get_string(entry, "target") };
	int r;

	if (type && strcmp(type, "tmpfs") == 0)
		fs.source = NULL;
	else if (type && strcmp(type, "lofs") != 0)
		return err_set(e, -EINVAL,
			       "type: '%.40s' is not mounted by this host, only lofs (what is "
			       "already mounted on the host) and tmpfs",
			       type);
	else if (!fs.source || !*fs.source)
		return err_set(e, -EINVAL, "source: must be given for type lofs");
	if (!is_plain_path(fs.target) || is_hosts_own(fs.target))
		return err_set(e, -EINVAL,
			       "target: must be an absolute path without '.' and '..', not "
			       "the root, and not in /dev, /proc or /sys");
	r = take_options(&fs, jv_get(entry, "options"), e);
	if (r == 0)
		*ret_fs = fs;
	return r;
}

/* The member before the ':' of MSG, as the original names it. */
static void tell(struct problems *ps, size_t index, const char *msg)
{
	cleanup_free char *member = xstrndup(msg, strcspn(msg, ":"));
	cleanup_free char *name = xasprintf("filesystems.*.%s", member);
	cleanup_free char *pointer = xasprintf("/filesystems/%zu/%s", index, member);
	const char *text = strchr(msg, ':');

	problems_add(ps, PROBLEM_VALUE, name, pointer, "%s", text ? text + 2 : msg);
}

void filesystem_check(const struct jv *record, struct problems *ps)
{
	const struct jv *list = jv_get(record, "filesystems");

	for (size_t i = 0; i < jv_len(list); i++) {
		cleanup_free char *pointer = xasprintf("/filesystems/%zu/options", i);
		struct filesystem fs;
		struct err e;

		if (filesystem_parse(jv_at(list, i), &fs, &e) < 0)
			tell(ps, i, e.msg);
		else if (fs.devices)
			problems_add(ps, PROBLEM_NOTE, "filesystems.*.options", pointer,
				     "devices are not given: none below '%s' can be opened",
				     fs.target);
	}
}

int filesystem_source_is_folder(const struct host *h, const char *source, struct err *e)
{
	cleanup_close int fd = -1;
	struct stat st;

	if (!is_plain_path(source))
		return err_set(e, -EINVAL,
			       "source: '%s' must be an absolute path without '.' and '..', "
			       "and not the host's root",
			       source);
	if (is_hosts_own(source))
		return err_set(e, -EINVAL,
			       "source: what is in /dev, /proc and /sys, as '%s' is, is no "
			       "zone's",
			       source);
	fd = path_open_in_root(h->fd, source, O_PATH | O_CLOEXEC, 0, NULL);
	if (fd < 0 && errno == ELOOP)
		return err_set(e, -ELOOP,
			       "source: '%s' has a symbolic link in it; name the place where "
			       "it leads",
			       source);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "source: cannot open '%s' on the host", source);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "source: '%s' is neither a folder nor a file",
			       source);
	return S_ISDIR(st.st_mode);
}

int filesystem_check_sources(const struct host *h, const struct jv *record, struct err *e)
{
	const struct jv *list = jv_get(record, "filesystems");

	if (jv_len(list) > FILESYSTEMS_MAX)
		return err_set(e, -E2BIG, "filesystems: %zu are more than %d", jv_len(list),
			       FILESYSTEMS_MAX);
	for (size_t i = 0; i < jv_len(list); i++) {
		struct filesystem fs;
		int r = filesystem_parse(jv_at(list, i), &fs, e);

		if (r == 0 && fs.source)
			r = filesystem_source_is_folder(h, fs.source, e);
		if (r < 0)
			return err_wrap(e, r, "filesystems[%zu]", i);
	}
	return 0;
}

/* The folder NAME in *FD, made where it is not, instead of *FD. */
static int step(int *fd, const char *name, const char *target, struct err *e)
{
	int next;

	if (mkdirat(*fd, name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make the target '%s' in the root", target);
	next = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		return err_sys(e, "target '%s': '%s' in the root is no folder", target, name);
	close_p(fd);
	*fd = next;
	return 0;
}

static int make_last(int fd, const char *name, const char *target, bool is_folder,
		     struct err *e)
{
	struct stat st;

	if (is_folder ? mkdirat(fd, name, 0755) < 0
		      : mknodat(fd, name, S_IFREG | 0644, 0) < 0) {
		if (errno != EEXIST)
			return err_sys(e, "cannot make the target '%s' in the root", target);
	}
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot look at the target '%s' in the root", target);
	if (is_folder ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return err_set(e, -ENOTDIR, "target '%s' is no %s in the root", target,
			       is_folder ? "folder" : "file");
	return 0;
}

int filesystem_make_target(int rootfd, const struct filesystem *fs, bool is_folder,
			   struct err *e)
{
	cleanup_close int fd = openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *part = fs->target + 1;
	char name[NAME_ROOM];

	if (fd < 0)
		return err_sys(e, "cannot use the root of the zone");
	for (;;) {
		size_t len = strcspn(part, "/");
		int r;

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, part);
		if (!part[len])
			return make_last(fd, name, fs->target, is_folder, e);
		r = step(&fd, name, fs->target, e);
		if (r < 0)
			return r;
		part += len + 1;
	}
}
