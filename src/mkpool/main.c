/* SPDX-License-Identifier: MIT */
/*
 * mkpool - make the pool that a host keeps its images and VMs in.
 */
#include "mkpool/mkpool.h"

#include "base/alloc.h"
#include "base/cli.h"
#include "base/jv.h"
#include "base/lock.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct cli_opt options[] = {
	{ .letter = 'f',
	  .name = "file",
	  .arg = "FILE",
	  .help = "keep the pool in FILE",
	  .complete = CLI_FILE },
	{ .name = "force", .help = "destroy what FILE or DEVICE holds" },
	{ .letter = 'j', .name = "json", .help = "print the result as JSON" },
	{ .letter = 'm', .name = "mount", .help = "mount the pool that was made before" },
	{ .letter = 'q', .name = "quiet", .help = "say nothing but errors" },
	{ .letter = 'R',
	  .name = "root",
	  .arg = "DIR",
	  .help = "the host below DIR, not this one",
	  .complete = CLI_DIR },
	{ .letter = 's',
	  .name = "size",
	  .arg = "SIZE",
	  .help = "size of FILE, as 10G or 512M" },
	{ .letter = 'u', .name = "unmount", .help = "unmount the pool" },
	CLI_END,
};

void mkpool_say(const struct mkpool *m, const char *fmt, ...)
{
	va_list ap;

	if (m->quiet)
		return;
	va_start(ap, fmt);
	(void)fputs("mkpool: ", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
}

/* A path that means the same after a change of folder; the file need not exist. */
static char *absolute(const char *path)
{
	cleanup_free char *cwd = NULL;

	if (path[0] == '/')
		return xstrdup(path);
	cwd = realpath(".", NULL);
	return xasprintf("%s/%s", cwd ? cwd : "", path);
}

static int check_use(struct cli_call *call)
{
	bool mount = cli_has(call, "mount"), unmount = cli_has(call, "unmount");
	int devices = cli_operands(call);

	if (mount && unmount)
		return cli_wrong_use(call, "--mount and --unmount exclude each other");
	if (cli_has(call, "file") && devices)
		return cli_wrong_use(call, "--file and a device exclude each other");
	if (unmount && (cli_has(call, "file") || devices))
		return cli_wrong_use(call, "--unmount takes neither --file nor a device");
	if ((mount || unmount) && (cli_has(call, "size") || cli_has(call, "force")))
		return cli_wrong_use(call, "--size and --force are for a new pool");
	if (!mount && !unmount && !cli_has(call, "file") && !devices)
		return cli_wrong_use(call, "give --file FILE --size SIZE, or a device");
	if (!mount && !unmount && cli_has(call, "file") != cli_has(call, "size"))
		return cli_wrong_use(call, cli_has(call, "size") ? "--size goes with --file"
								 : "--file needs --size");
	return 0;
}

static int take_options(struct mkpool *m, struct cli_call *call, struct err *e)
{
	unsigned long long size = 0;
	int r = 0;

	m->force = cli_has(call, "force");
	m->quiet = cli_has(call, "quiet");
	if (cli_get(call, "size"))
		r = cli_parse_size(cli_get(call, "size"), &size, e);
	if (r < 0)
		return r;
	m->size = size;
	if (cli_get(call, "file"))
		m->file = absolute(cli_get(call, "file"));
	for (int i = 0; i < cli_operands(call); i++)
		m->devices[m->device_count++] = absolute(cli_operand(call, i));
	return host_open(&m->host, cli_get(call, "root"), e);
}

/* Two at once would both find the mount point free. */
static int locked(struct mkpool *m, struct cli_call *call, struct err *e)
{
	cleanup_close int dir = host_dir(&m->host, HOST_LOCKS, 0700, e);
	cleanup_close int lock = -1;

	if (dir < 0)
		return dir;
	lock = lock_take(dir, "pool", LOCK_EXCLUSIVE, -1, e);
	if (lock < 0)
		return lock;
	if (cli_has(call, "mount"))
		return mkpool_mount(m, e);
	if (cli_has(call, "unmount"))
		return mkpool_unmount(m, e);
	return mkpool_make(m, e);
}

static void print_answer(struct mkpool *m)
{
	cleanup_free char *target = xasprintf("%s/" HOST_POOL, m->host.root);
	cleanup_free char *text = NULL;

	jv_set(m->answer, "mountpoint", jv_string(target));
	text = jv_dump(m->answer, 2);
	(void)puts(text);
}

static int run(struct cli_call *call, struct err *e)
{
	struct mkpool m = { .host = { .fd = -1 } };
	int r = check_use(call);

	if (r != 0)
		return r;
	if (geteuid() != 0)
		return err_set(e, -EPERM, "only root can do that");
	m.answer = jv_object();
	r = take_options(&m, call, e);
	if (r == 0)
		r = locked(&m, call, e);
	if (r == 0 && cli_has(call, "json"))
		print_answer(&m);
	jv_unref(m.answer);
	free(m.file);
	for (size_t i = 0; i < m.device_count; i++)
		free((void *)m.devices[i]);
	host_close(&m.host);
	return r;
}

static const struct cli_cmd command = {
	.name = "mkpool",
	.args = "[DEVICE...]",
	.summary = "make, mount or unmount the pool of images and VMs",
	.opts = options,
	.max_operands = MKPOOL_DEVICES_MAX,
	.complete = CLI_FILE,
	.run = run,
};

static const struct cli_prog program = {
	.name = "mkpool",
	.summary = "make, mount or unmount the pool of images and VMs",
	.main_cmd = &command,
};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
