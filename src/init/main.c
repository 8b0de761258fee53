/* SPDX-License-Identifier: MIT */
/*
 * init - the first process of a platform: finds the root image that came with
 * it, makes sure that it is the right one, and hands over to systemd. The
 * contract is docs/image.md. Runs as pid 1 in the boot archive, nowhere else.
 *
 * There is nobody above to report to, so whatever fails is shown on the
 * console, stays there for a while, and the machine powers off.
 */
#include "init/identity.h"
#include "init/modules.h"
#include "init/root.h"
#include "init/verify.h"
#include "init/verity.h"

#include "base/fileio.h"
#include "libboot/cmdline.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define IMAGE        "/root.img"
#define IMAGE_DIGEST "root.img.sha256"
#define IMAGE_TREE   "/root.verity"
#define BASE         "/base"
#define HALT_SECONDS 60

/* What later stages may want to know; becomes /run/dais/boot.json. */
static struct {
	char hash[2 * VERIFY_HASH_LEN + 1];
	bool pinned; /* by dais.hash= */
	bool verity; /* by dais.verity=: the hash is the tree's, and the kernel compares */
	unsigned int start_ms, modules_ms, verified_ms, mounted_ms;
} found;

static struct cmdline cmdline;
static char root_device[VERITY_NAME_LEN]; /* empty: the image itself */

static unsigned int now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (unsigned int)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

static void warn(const struct err *e)
{
	(void)dprintf(STDERR_FILENO, "dais: %s; ignoring\n", e->msg);
}

/* The kernel opens /dev/console for us only if the archive has that node. */
static void open_console(void)
{
	int fd;

	if (fcntl(STDERR_FILENO, F_GETFD) >= 0)
		return;
	fd = open("/dev/console", O_RDWR);
	for (int n = STDIN_FILENO; fd >= 0 && n <= STDERR_FILENO; n++) {
		if (fd != n)
			(void)dup2(fd, n);
	}
}

static int mount_kernel_folders(struct err *e)
{
	static const struct {
		const char *type, *at, *options;
		unsigned long flags;
	} mounts[] = {
		{ "devtmpfs", "/dev", "mode=0755", MS_NOSUID },
		{ "proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "tmpfs", "/run", "mode=0755,size=20%,nr_inodes=800k", MS_NOSUID | MS_NODEV },
	};

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		(void)mkdir(mounts[i].at, 0755);
		if (mount(mounts[i].type, mounts[i].at, mounts[i].type, mounts[i].flags,
			  mounts[i].options) < 0 &&
		    errno != EBUSY)
			return err_sys(e, "cannot mount %s at '%s'", mounts[i].type,
				       mounts[i].at);
	}
	open_console();
	return 0;
}

static int load_modules(struct err *e)
{
	static struct modules list;
	cleanup_free char *text = NULL;
	size_t len;
	cleanup_close int dirfd = open("/modules", O_DIRECTORY | O_CLOEXEC);
	int r;

	/* A kernel with everything built in comes without the folder. */
	if (dirfd < 0)
		return 0;
	r = file_read_all(dirfd, "modules.order", MODULES_TEXT_MAX, &text, &len, e);
	if (r < 0)
		return r;
	r = modules_parse(&list, text, len, "/modules/modules.order", e);
	if (r < 0)
		return r;
	(void)modules_load(&list, dirfd, warn);
	return 0;
}

static int expected_hash(unsigned char ret_hash[static VERIFY_HASH_LEN],
			 const char **ret_source, struct err *e)
{
	const char *option = cmdline_get(&cmdline, "dais.hash");
	cleanup_free char *text = NULL;
	size_t len;
	int r;

	if (option) {
		found.pinned = true;
		*ret_source = "the boot option dais.hash=";
		return verify_parse_hash(option, strlen(option), *ret_source, ret_hash, e);
	}
	*ret_source = "/" IMAGE_DIGEST;
	r = file_read_all(AT_FDCWD, *ret_source, VERIFY_TEXT_MAX, &text, &len, e);
	return r < 0 ? r : verify_parse_hash(text, len, *ret_source, ret_hash, e);
}

/* With a tree of hashes nothing is read ahead: the kernel looks at each block in its time. */
static int prepare_verity(const char *option, struct err *e)
{
	unsigned char root[VERIFY_HASH_LEN];
	int r = verify_parse_hash(option, strlen(option), "the boot option dais.verity=", root,
				  e);

	if (r < 0)
		return r;
	found.verity = true;
	verify_hash_to_hex(root, found.hash);
	return verity_open(IMAGE, IMAGE_TREE, root, root_device, e);
}

static int verify_image(struct err *e)
{
	unsigned char want[VERIFY_HASH_LEN], got[VERIFY_HASH_LEN];
	const char *source, *tree = cmdline_get(&cmdline, "dais.verity");
	cleanup_close int fd = -1;
	int r;

	if (tree)
		return prepare_verity(tree, e);
	r = expected_hash(want, &source, e);
	if (r < 0)
		return r;
	fd = open(IMAGE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open '" IMAGE "'");
	r = verify_digest(fd, got, e);
	if (r < 0)
		return r;
	verify_hash_to_hex(got, found.hash);
	return verify_compare(want, got, source, e);
}

/* What the archive brought besides the image is memory that nobody needs any more. */
static void free_archive(void)
{
	static struct modules list;
	cleanup_free char *text = NULL;
	size_t len;
	cleanup_close int dirfd = open("/modules", O_DIRECTORY | O_CLOEXEC);

	(void)unlink("/init");
	(void)unlink("/" IMAGE_DIGEST);
	if (dirfd < 0 ||
	    file_read_all(dirfd, "modules.order", MODULES_TEXT_MAX, &text, &len, NULL) < 0 ||
	    modules_parse(&list, text, len, "", NULL) < 0)
		return;
	for (size_t i = 0; i < list.count; i++)
		(void)unlinkat(dirfd, list.names[i], 0);
	(void)unlinkat(dirfd, "modules.order", 0);
}

static void leave_word(void)
{
	int fd;

	(void)mkdir("/run/dais", 0755);
	fd = open("/run/dais/boot.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	(void)dprintf(fd,
		      "{\n  \"image_%s\": \"%s\",\n  \"image_pinned\": %s,\n"
		      "  \"ms\": { \"start\": %u, \"modules\": %u, \"verified\": %u, "
		      "\"mounted\": %u }\n}\n",
		      found.verity ? "verity" : "sha256", found.hash,
		      found.pinned || found.verity ? "true" : "false", found.start_ms,
		      found.modules_ms, found.verified_ms, found.mounted_ms);
	close_p(&fd);
}

/* A host with the wrong name is better than none. */
static int set_hostname(struct err *unused ATTR_UNUSED)
{
	const char *name = cmdline_get(&cmdline, "hostname");
	struct err e;

	if (name && *name && sethostname(name, strlen(name)) < 0) {
		(void)err_sys(&e, "the boot option hostname=%s", name);
		warn(&e);
	}
	return 0;
}

struct step {
	const char *what; /* "cannot WHAT" */
	const char *help;
	int (*run)(struct err *e);
	unsigned int *done_ms;
};

static int read_cmdline(struct err *e)
{
	return cmdline_read(&cmdline, "/proc/cmdline", e);
}

static int mount_root(struct err *e)
{
	int r = root_mount(*root_device ? root_device : IMAGE, BASE, e);

	if (r == 0)
		found.mounted_ms = now_ms();
	return r;
}

static int set_identity(struct err *e)
{
	return identity_set(BASE "/root", e);
}

static int switch_root(struct err *e)
{
	leave_word();
	free_archive();
	return root_switch(BASE "/root", e);
}

static const struct step steps[] = {
	{ "set up /proc, /sys and /dev", "the kernel lacks a file system that Linux always has",
	  mount_kernel_folders, NULL },
	{ "read the boot options", "correct the options in the boot loader", read_cmdline,
	  NULL },
	{ "read the list of modules", "build the boot archive anew", load_modules,
	  &found.modules_ms },
	{ "accept the root image",
	  "the image was damaged or changed since it was built: boot an earlier platform, and "
	  "copy this one again from its source",
	  verify_image, &found.verified_ms },
	{ "mount the root image",
	  "the machine may have too little memory, the archive may lack a module, or, with "
	  "dais.verity=, the image is not the one that was built: boot an earlier platform",
	  mount_root, NULL },
	{ "set the machine id", "build the platform anew", set_identity, NULL },
	{ "set the host's name", "correct hostname= in the boot loader", set_hostname, NULL },
	{ "enter the root image", "build the platform anew", switch_root, NULL },
};

static unsigned int halt_seconds(void)
{
	const char *text = cmdline_get(&cmdline, "dais.halt");
	char *end;
	unsigned long n;

	if (!text || *text < '0' || *text > '9')
		return HALT_SECONDS;
	n = strtoul(text, &end, 10);
	return *end || n > 86400 ? HALT_SECONDS : (unsigned int)n;
}

/* Does not return: pid 1 must not end. */
static void __attribute__((noreturn))
fail(const char *what, const char *help, const struct err *e)
{
	unsigned int seconds = halt_seconds();

	(void)dprintf(STDERR_FILENO,
		      "\n*** THE PLATFORM DID NOT START ***\n"
		      "dais: cannot %s: %s\n"
		      "dais: %s\n",
		      what, e->msg, help);
	if (seconds == 0)
		(void)dprintf(STDERR_FILENO, "dais: waiting for ever (dais.halt=0)\n");
	else
		(void)dprintf(STDERR_FILENO, "dais: power off in %u seconds\n", seconds);

	while (seconds == 0)
		(void)sleep(3600);
	while (seconds > 0)
		seconds = sleep(seconds);
	(void)reboot(RB_POWER_OFF);
	for (;;)
		(void)pause();
}

int main(int argc, char **argv)
{
	char *const next[] = { (char *)"/sbin/init", NULL };
	struct err e;

	(void)argc;
	if (getpid() != 1) {
		(void)dprintf(STDERR_FILENO,
			      "%s: runs as the first process of a boot archive only\n",
			      argv[0]);
		return 2;
	}
	found.start_ms = now_ms();
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i].run(&e) < 0)
			fail(steps[i].what, steps[i].help, &e);
		if (steps[i].done_ms)
			*steps[i].done_ms = now_ms();
	}
	(void)execv(next[0], next);
	(void)err_sys(&e, "cannot execute '%s'", next[0]);
	fail("start systemd", "build the platform anew", &e);
}
