/* SPDX-License-Identifier: MIT */
/*
 * mounts.c - what a record wants mounted inside: "filesystems", and what "fs_allowed"
 * lets the guest mount itself.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/alloc.h"
#include "base/jv.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The kernel lets the root of any user namespace mount these. */
static const char *const always[] = {
	"autofs", "cgroup2", "devpts", "lofs",  "mntfs", "mqueue",
	"objfs",  "overlay", "proc",   "ramfs", "sysfs", "tmpfs",
};

/* To the host the zone's root is one of its users. */
static bool fuse_is_for_all(void)
{
	struct stat st;

	return stat("/dev/fuse", &st) == 0 && S_ISCHR(st.st_mode) &&
	       (st.st_mode & 0006) == 0006;
}

/*
 * The list adds to what may be mounted anyhow, as it does in the original. FUSE needs
 * its device, which only who is allowed it gets. All others the kernel gives to nobody
 * but the host's root.
 */
void zone_take_fs_allowed(struct zone *z, struct zone_spec *s)
{
	const struct jv *list = jv_get(s->record, "fs_allowed");

	for (size_t i = 0; i < jv_len(list); i++) {
		const char *type = jv_as_string(jv_at(list, i));
		bool known = false;
		char why[128];

		if (!type)
			continue;
		if (strcmp(type, "fuse") == 0) {
			s->run.fuse = fuse_is_for_all();
			if (!s->run.fuse)
				zone_warn(
					z, "fs_allowed",
					"'fuse' is not given: '/dev/fuse' of this host is not "
					"there, or not for everybody");
			continue;
		}
		for (size_t k = 0; k < ARRAY_SIZE(always); k++)
			known = known || strcmp(type, always[k]) == 0;
		if (known)
			continue;
		(void)snprintf(why, sizeof(why),
			       "'%.40s' is not given: the kernel lets no zone mount it", type);
		zone_warn(z, "fs_allowed", why);
	}
}

static void add_mount(struct zone *z, struct zone_spec *s, const struct filesystem *fs)
{
	size_t i = s->run.mount_count++;
	struct run_mount *m = &s->mounts[i];

	s->filesystems[i] = *fs;
	if (fs->source)
		s->sources[i] = xasprintf("%s%s", z->host.root, fs->source);
	m->source = s->sources[i];
	m->target = s->filesystems[i].target;
	m->size = *fs->size ? s->filesystems[i].size : NULL;
	m->read_only = fs->read_only;
	m->no_suid = fs->no_suid;
	m->no_exec = fs->no_exec;
}

/* Has the image something else under the name, nothing is mounted there. */
static bool takes_snapshots(const struct zone *z)
{
	cleanup_free char *path = xasprintf(HOST_POOL "/%s/root/checkpoints", z->uuid);
	struct stat st;

	return fstatat(z->host.fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode);
}

/*
 * What every zone sees of its own: its snapshots, those as well that are made while
 * it runs; and its data, where the original mounts it.
 */
static int take_own(struct zone *z, struct zone_spec *s, struct err *e)
{
	struct filesystem fs = { .target = "/checkpoints", .read_only = true };

	s->snapshots = xasprintf("/" HOST_POOL "/%s/snap", z->uuid);
	fs.source = s->snapshots;
	if (mkdirat(z->host.fd, s->snapshots + 1, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make '%s'", s->snapshots);
	if (takes_snapshots(z)) {
		add_mount(z, s, &fs);
		s->mounts[s->run.mount_count - 1].late = true;
	} else {
		zone_warn(z, "snapshots", "'/checkpoints' of the image is no folder");
	}
	if (!jv_get_bool(s->record, "delegate_dataset", false))
		return 0;
	s->data = xasprintf("/" HOST_POOL "/%s/data", z->uuid);
	fs = (struct filesystem){ .source = s->data, .target = s->data };
	add_mount(z, s, &fs);
	return 0;
}

int zone_take_filesystems(struct zone *z, struct zone_spec *s, struct err *e)
{
	const struct jv *list = jv_get(s->record, "filesystems");
	size_t count = jv_len(list);

	if (count > FILESYSTEMS_MAX)
		return err_set(e, -E2BIG, "filesystems: %zu are more than %d", count,
			       FILESYSTEMS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct filesystem fs;
		int r = filesystem_parse(jv_at(list, i), &fs, e);

		if (r < 0)
			return err_wrap(e, r, "filesystems[%zu]", i);
		add_mount(z, s, &fs);
	}
	s->run.mounts = s->mounts;
	return take_own(z, s, e);
}

/* Is the target below that of an earlier one? Then it is in that one's source. */
static bool is_covered(const struct zone_spec *s, size_t index)
{
	const char *target = s->filesystems[index].target;

	for (size_t i = 0; i < index; i++) {
		size_t len = strlen(s->filesystems[i].target);

		if (strncmp(target, s->filesystems[i].target, len) == 0 && target[len] == '/')
			return true;
	}
	/* /tmp is mounted before all of them. */
	return s->run.tmpfs_bytes && strncmp(target, "/tmp/", 5) == 0;
}

int zone_prepare_filesystems(const struct host *h, const struct zone_spec *s, struct err *e)
{
	cleanup_close int rootfd = -1;

	if (s->run.mount_count == 0)
		return 0;
	rootfd = open(s->rootfs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (rootfd < 0)
		return err_sys(e, "cannot open the root '%s'", s->rootfs);
	for (size_t i = 0; i < s->run.mount_count; i++) {
		const struct filesystem *fs = &s->filesystems[i];
		int r = fs->source ? filesystem_source_is_folder(h, fs->source, e) : 1;

		if (r >= 0 && !is_covered(s, i))
			r = filesystem_make_target(rootfd, fs, r == 1, e);
		if (r < 0)
			return err_wrap(e, r, "filesystems[%zu]", i);
	}
	return 0;
}
