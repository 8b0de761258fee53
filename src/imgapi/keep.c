/* SPDX-License-Identifier: MIT */
/*
 * keep.c - files of the images that are installed, for --store.
 *
 *	images/UUID ──pack──▶ var/cache/dais/imgapi/UUID, UUID.json ──▶ catalog.c
 *
 * An installed image is a tree or a disk; the file that it came from is gone. A process of its
 * own, which keeps root's rights and has no socket, makes one for each image, once, and takes
 * away those of images that are gone. The server sees them come as it does in any folder.
 *
 * The data comes first, synced, the manifest after it: what is killed leaves a file without a
 * manifest, which nobody is told of and the next start makes anew.
 */
#include "imgapi/imgapi.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "base/log.h"
#include "libimg/image.h"
#include "libimg/pool.h"
#include "libimgfile/compression.h"
#include "libimgfile/pack.h"
#include "libmanifest/manifest.h"
#include "libstore/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DISK_FILE    "disk0.raw"
#define LOCK_WAIT_MS 30000
#define SETTLE_MS    300 /* several changes at once are one */

struct keep {
	const struct host *host;
	int dirfd;    /* of the files */
	int imagesfd; /* of the images */
	int notify;
	int lifeline; /* ends with the server, who cannot signal what has more rights */
};

/* Said between images, and between the pieces of one. */
static void end_with_server(void *data, uint64_t done ATTR_UNUSED)
{
	const struct keep *k = data;
	struct pollfd fd = { .fd = k->lifeline };

	if (poll(&fd, 1, 0) > 0)
		_exit(0);
}

/* ---- one image ------------------------------------------------------------------- */

/* What it says of its file is of one that is no longer there. FILE is taken. New. */
static struct jv *manifest_with(const struct image *img, struct jv *file)
{
	struct jv *m = jv_copy(img->manifest), *files = jv_array();

	/* A disk is sent whole, whatever it was made of here. */
	if (manifest_is_disk(m))
		(void)jv_del(m, "origin");
	jv_push(files, file);
	jv_set(m, "files", files);
	return m;
}

static struct jv *file_of(const struct image *img, const struct pack_result *p)
{
	cleanup_free char *diff_id = xasprintf("sha256:%s", p->diff_id);
	struct jv *f = jv_object();

	jv_set(f, "sha1", jv_string(p->sha1));
	jv_set(f, "size", jv_int((int64_t)p->size));
	jv_set(f, "compression", jv_string(compression_name(COMPRESSION_ZSTD)));
	jv_set(f, "sha256", jv_string(p->sha256));
	jv_set(f, "uncompressedDigest", jv_string(diff_id));
	if (jv_get(img->manifest, "origin") && !manifest_is_disk(img->manifest))
		jv_set(f, "whiteouts", jv_bool(true));
	return f;
}

/* For everybody to read: who serves it is nobody. */
static int store_manifest(const struct keep *k, const char *uuid, const struct jv *m,
			  struct err *e)
{
	cleanup_free char *name = xasprintf("%s.json", uuid), *text = jv_dump(m, 2);
	cleanup_free char *new = xasprintf(".%s.new", name);
	cleanup_close int fd = openat(
		k->dirfd, new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0 || file_write_fd(fd, text, strlen(text)) < 0 || fsync(fd) < 0 ||
	    renameat(k->dirfd, new, k->dirfd, name) < 0)
		return err_sys(e, "cannot write '%s'", name);
	return 0;
}

/* Is the file there, and does its manifest say what the image's says now? That is mended. */
static bool is_kept(const struct keep *k, const struct image *img)
{
	cleanup_free char *name = xasprintf("%s.json", img->uuid);
	cleanup_jv struct jv *has = NULL, *want = NULL;
	struct stat st;
	struct jv *file;
	struct err e;

	if (jv_load(k->dirfd, name, IMAGE_MANIFEST_MAX, &has, NULL) < 0)
		return false;
	file = jv_at(jv_get(has, "files"), 0);
	if (!file || fstatat(k->dirfd, img->uuid, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_size != jv_get_int(file, "size", -1))
		return false;
	want = manifest_with(img, jv_ref(file));
	if (!jv_equal(has, want) && store_manifest(k, img->uuid, want, &e) < 0)
		log_warning("image %s: %s", img->uuid, e.msg);
	return true;
}

static int open_tree(const struct keep *k, const char *uuid, struct err *e)
{
	cleanup_free char *path = xasprintf("%s/rootfs", uuid);
	int fd = openat(k->imagesfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "cannot open '%s'", path) : fd;
}

static int write_disk(int treefd, struct pack_request *req, struct pack_result *ret,
		      struct err *e)
{
	cleanup_close int fd = openat(treefd, DISK_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", DISK_FILE);
	req->rootfd = fd;
	return pack_disk(req, ret, e);
}

static int write_file(const struct keep *k, const struct image *img, int outfd,
		      struct pack_result *ret, struct err *e)
{
	const char *origin = jv_get_string(img->manifest, "origin");
	cleanup_close int treefd = open_tree(k, img->uuid, e), basefd = -1;
	struct pack_request req = { .rootfd = treefd,
				    .basefd = -1,
				    .compression = COMPRESSION_ZSTD,
				    .outfd = outfd,
				    .progress = end_with_server,
				    .data = (void *)(uintptr_t)k };

	if (treefd < 0)
		return treefd;
	if (manifest_is_disk(img->manifest))
		return write_disk(treefd, &req, ret, e);
	if (origin) {
		basefd = open_tree(k, origin, e);
		if (basefd < 0)
			return basefd;
		req.basefd = basefd;
	}
	return pack(&req, ret, e);
}

/* Its lock is held. */
static int make_file(const struct keep *k, const struct image *img, struct pack_result *ret,
		     struct err *e)
{
	cleanup_free char *new = xasprintf(".%s.new", img->uuid);
	cleanup_close int fd = openat(
		k->dirfd, new, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	int r;

	if (fd < 0)
		return err_sys(e, "cannot make a file for it");
	r = write_file(k, img, fd, ret, e);
	if (r == 0 && fsync(fd) < 0)
		r = err_sys(e, "cannot write its file");
	if (r == 0 && renameat(k->dirfd, new, k->dirfd, img->uuid) < 0)
		r = err_sys(e, "cannot name its file");
	if (r < 0)
		(void)unlinkat(k->dirfd, new, 0);
	return r;
}

static int keep_image(const struct keep *k, const struct image *img, struct err *e)
{
	cleanup_free char *name = xasprintf("%s.json", img->uuid);
	cleanup_jv struct jv *m = NULL;
	cleanup_close int lock = -1;
	struct pack_result p;
	int r;

	if (is_kept(k, img))
		return 0;
	lock = image_lock_shared(k->host, img->uuid, LOCK_WAIT_MS, e);
	if (lock < 0)
		return lock;
	/* A manifest that is there is of another file. */
	(void)unlinkat(k->dirfd, name, 0);
	r = make_file(k, img, &p, e);
	if (r < 0)
		return r;
	m = manifest_with(img, file_of(img, &p));
	r = store_manifest(k, img->uuid, m, e);
	if (r == 0)
		log_info("image %s: its file is made, %llu bytes", img->uuid,
			 (unsigned long long)p.size);
	return r;
}

/* ---- all of them ----------------------------------------------------------------- */

static bool is_in(const struct image_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strncmp(name, list->items[i].uuid, UUID_STR - 1) == 0)
			return true;
	return false;
}

/* Manifests first, so that nobody is told of a file that is gone. */
static void forget(const struct keep *k, const struct image_list *list, bool manifests)
{
	int own = openat(k->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);

	if (!d) {
		close_p(&own);
		return;
	}
	for (struct dirent *one; (one = readdir(d));) {
		const char *name = one->d_name;
		bool manifest = strcmp(name + strcspn(name, "."), ".json") == 0;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (manifest == manifests && (*name == '.' || !is_in(list, name)))
			(void)unlinkat(k->dirfd, name, 0);
	}
	(void)closedir(d);
}

static void keep_all(const struct keep *k)
{
	cleanup_image_list struct image_list list = { 0 };
	struct err e;

	if (image_list_load(k->host, false, &list, &e) < 0) {
		log_warning("%s", e.msg);
		return;
	}
	/* One that cannot be read now may be read later: its file stays. */
	if (!list.unreadable) {
		forget(k, &list, true);
		forget(k, &list, false);
	}
	for (size_t i = 0; i < list.count; i++) {
		end_with_server((void *)(uintptr_t)k, 0);
		if (keep_image(k, &list.items[i], &e) < 0)
			log_warning("image %s: not served: %s", list.items[i].uuid, e.msg);
	}
}

static void wait_for_change(const struct keep *k)
{
	const struct timespec settle = { .tv_nsec = SETTLE_MS * 1000000L };
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct pollfd fds[] = { { .fd = k->notify, .events = POLLIN }, { .fd = k->lifeline } };

	(void)poll(fds, ARRAY_SIZE(fds), -1);
	end_with_server((void *)(uintptr_t)k, 0);
	(void)nanosleep(&settle, NULL);
	while (read(k->notify, events, sizeof(events)) > 0)
		;
}

static void run(const struct keep *k)
{
	(void)umask(022); /* what nobody cannot read is not served */
	for (;;) {
		keep_all(k);
		wait_for_change(k);
	}
}

static int open_all(const struct host *h, struct keep *k, struct err *e)
{
	cleanup_free char *images = host_path(h, HOST_IMAGES, ".");
	struct store *store;
	int r = image_pool_open(h, &store, e);

	if (r < 0)
		return r;
	store_close(store);
	k->host = h;
	k->dirfd = host_dir(h, KEEP_DIR, 0755, e);
	k->imagesfd = k->dirfd < 0 ? k->dirfd : host_dir_existing(h, HOST_IMAGES, e);
	if (k->imagesfd < 0)
		return k->imagesfd;
	k->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (k->notify < 0 ||
	    inotify_add_watch(k->notify, images, IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) < 0)
		return err_sys(e, "cannot watch '%s'", images);
	return 0;
}

static int start(struct keep *k, struct keeper *ret, struct err *e)
{
	int line[2];

	if (pipe2(line, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	ret->pid = fork();
	if (ret->pid == 0) {
		(void)close(line[1]);
		k->lifeline = line[0];
		run(k);
	}
	(void)close(line[0]);
	ret->lifeline = line[1];
	return ret->pid < 0 ? err_sys(e, "cannot make a process") : 0;
}

int keep_start(const struct host *h, struct keeper *ret, struct err *e)
{
	struct keep k = { .dirfd = -1, .imagesfd = -1, .notify = -1, .lifeline = -1 };
	int r = open_all(h, &k, e);

	if (r == 0)
		r = start(&k, ret, e);
	close_p(&k.notify);
	close_p(&k.imagesfd);
	close_p(&k.dirfd);
	return r;
}
