/* SPDX-License-Identifier: MIT */
/*
 * platform - the steps of a platform's boot and shutdown that are its own.
 * Called by units (overlay/etc/systemd/system), not by people.
 */
#include "platform/platform.h"

#include "base/cli.h"
#include "base/log.h"

static int with_host(struct cli_call *call, int (*run)(const struct host *h, struct err *e),
		     struct err *e)
{
	struct host h = { .fd = -1 };
	int r;

	log_setup("platform", NULL);
	r = host_open(&h, cli_get(call, "root"), e);
	if (r == 0)
		r = run(&h, e);
	host_close(&h);
	return r;
}

static int mount_pool(struct cli_call *call, struct err *e)
{
	return with_host(call, platform_mount_pool, e);
}

static int settle_password(struct cli_call *call, struct err *e)
{
	return with_host(call, platform_settle_password, e);
}

static int keep_password(struct cli_call *call, struct err *e)
{
	return with_host(call, platform_keep_password, e);
}

static int start_zones(struct cli_call *call, struct err *e)
{
	return with_host(call, platform_start_zones, e);
}

static int stop_zones(struct cli_call *call, struct err *e)
{
	return with_host(call, platform_stop_zones, e);
}

static int uplinks(struct cli_call *call, struct err *e)
{
	return with_host(call, platform_uplinks, e);
}

static const struct cli_opt options[] = {
	{ .letter = 'R',
	  .name = "root",
	  .arg = "DIR",
	  .help = "the host below DIR, not this one",
	  .complete = CLI_DIR },
	CLI_END,
};

static const struct cli_cmd commands[] = {
	{ .name = "keep-password",
	  .args = "",
	  .run = keep_password,
	  .summary = "copy root's new password to the pool" },
	{ .name = "mount-pool",
	  .args = "",
	  .run = mount_pool,
	  .summary = "find the pool and mount what lasts" },
	{ .name = "settle-password",
	  .args = "",
	  .run = settle_password,
	  .summary = "set root's password for this boot" },
	{ .name = "start-zones",
	  .args = "",
	  .run = start_zones,
	  .summary = "start the zones whose autoboot is true" },
	{ .name = "stop-zones",
	  .args = "",
	  .run = stop_zones,
	  .summary = "stop the zones that run" },
	{ .name = "uplinks",
	  .args = "",
	  .run = uplinks,
	  .summary = "keep the interfaces of NIC tags from networkd" },
	{ .name = NULL },
};

static const struct cli_prog program = {
	.name = "platform",
	.summary = "the steps of a platform's boot and shutdown",
	.opts = options,
	.cmds = commands,
};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
