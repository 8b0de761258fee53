/* SPDX-License-Identifier: MIT */
#include "librun/lxc/lxc.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <lxc/lxccontainer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A guest writes to its console as much as it likes: this file and one predecessor are kept. */
#define CONSOLE_LOG_USUAL ((uint64_t)1 << 20)
/* liblxc takes no less than a page. */
#define CONSOLE_LOG_MIN 4096

void lxc_set(struct lxc_setter *s, const char *key, const char *fmt, ...)
{
	char value[4096];
	va_list ap;
	int n;

	if (s->failed)
		return;
	va_start(ap, fmt);
	n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);

	if (n < 0 || (size_t)n >= sizeof(value) || strchr(value, '\n'))
		s->failed = err_set(s->e, -EINVAL, "the value of '%s' cannot be used", key);
	else if (!s->c->set_config_item(s->c, key, value))
		s->failed = err_set(s->e, -EINVAL, "liblxc %s refuses '%s = %s'", lxc_version(),
				    key, value);
}

/* " A" for the IPv4 address IP, else "": liblxc works it out without the network's part. */
static void broadcast_of(const char *ip, char ret[static INET_ADDRSTRLEN + 1])
{
	const char *slash = strchr(ip, '/');
	unsigned long prefix = slash ? strtoul(slash + 1, NULL, 10) : 32;
	char text[INET_ADDRSTRLEN];
	struct in_addr a;

	ret[0] = '\0';
	(void)snprintf(text, sizeof(text), "%.*s", (int)(slash ? slash - ip : 0), ip);
	if (prefix > 30 || inet_pton(AF_INET, text, &a) != 1)
		return;
	a.s_addr |= htonl(0xffffffffU >> prefix);
	ret[0] = ' ';
	(void)inet_ntop(AF_INET, &a, ret + 1, INET_ADDRSTRLEN);
}

/* Addresses of the kind "A/PREFIX" are ours to give; words like "dhcp" are the guest's. */
static void set_addresses(struct lxc_setter *s, size_t index, const struct run_nic *nic)
{
	char broadcast[INET_ADDRSTRLEN + 1];
	char key[64];

	for (const char *const *ip = nic->ips; ip && *ip; ip++) {
		if (!strchr(*ip, '/'))
			continue;
		(void)snprintf(key, sizeof(key), "lxc.net.%zu.ipv%c.address", index,
			       strchr(*ip, ':') ? '6' : '4');
		broadcast_of(*ip, broadcast);
		lxc_set(s, key, "%s%s", *ip, broadcast);
	}
	if (nic->gateway) {
		(void)snprintf(key, sizeof(key), "lxc.net.%zu.ipv%c.gateway", index,
			       strchr(nic->gateway, ':') ? '6' : '4');
		lxc_set(s, key, "%s", nic->gateway);
	}
}

static void set_nic(struct lxc_setter *s, size_t index, const struct run_nic *nic)
{
	const struct {
		const char *name;
		const char *value;
	} items[] = {
		{ "type", "veth" },    { "link", nic->bridge },         { "flags", "up" },
		{ "name", nic->name }, { "veth.pair", nic->host_name }, { "hwaddr", nic->mac },
	};
	char key[64];

	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		(void)snprintf(key, sizeof(key), "lxc.net.%zu.%s", index, items[i].name);
		lxc_set(s, key, "%s", items[i].value);
	}
	if (nic->mtu) {
		(void)snprintf(key, sizeof(key), "lxc.net.%zu.mtu", index);
		lxc_set(s, key, "%u", nic->mtu);
	}
	if (nic->vlan_id) {
		(void)snprintf(key, sizeof(key), "lxc.net.%zu.veth.vlan.id", index);
		lxc_set(s, key, "%u", nic->vlan_id);
	}
	set_addresses(s, index, nic);
}

static void set_network(struct lxc_setter *s, const struct run_spec *spec)
{
	for (size_t i = 0; i < spec->nic_count; i++)
		set_nic(s, i, &spec->nics[i]);
	/* A network namespace of its own in any case. */
	if (spec->nic_count == 0) {
		lxc_set(s, "lxc.net.0.type", "empty");
		lxc_set(s, "lxc.net.0.flags", "up");
	}
}

static void set_groups(struct lxc_setter *s, const struct run_spec *spec)
{
	static const struct {
		const char *key;
		const char *suffix;
	} dirs[] = {
		{ "lxc.cgroup.dir.container", "" },
		{ "lxc.cgroup.dir.monitor", ".monitor" },
		{ "lxc.cgroup.dir.monitor.pivot", ".pivot" },
	};
	char group[LXC_GROUP_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		lxc_group(spec->uuid, dirs[i].suffix, group);
		lxc_set(s, dirs[i].key, "%s", group);
	}
}

/*
 * The root is mapped while it is mounted: its files keep the ids of the image
 * on disk, so images are shared as they are. Device nodes that an image brings
 * along are nobody's way to a device.
 */
static void set_root(struct lxc_setter *s, const struct run_spec *spec)
{
	lxc_set(s, "lxc.idmap", "u 0 %u %u", spec->id_base, spec->id_count);
	lxc_set(s, "lxc.idmap", "g 0 %u %u", spec->id_base, spec->id_count);
	lxc_set(s, "lxc.rootfs.path", "dir:%s", spec->rootfs);
	lxc_set(s, "lxc.rootfs.options", "idmap=container,nodev");
	lxc_set(s, "lxc.mount.auto", "proc:mixed sys:mixed");
	if (spec->tmpfs_bytes)
		lxc_set(s, "lxc.mount.entry",
			"tmpfs tmp tmpfs nodev,nosuid,mode=1777,size=%llu,create=dir 0 0",
			(unsigned long long)spec->tmpfs_bytes);
	if (spec->fuse)
		lxc_set(s, "lxc.mount.entry",
			"/dev/fuse dev/fuse none bind,create=file,optional 0 0");
}

static void set_console_size(struct lxc_setter *s, uint64_t bytes)
{
	if (bytes == 0)
		bytes = CONSOLE_LOG_USUAL;
	if (bytes < CONSOLE_LOG_MIN)
		bytes = CONSOLE_LOG_MIN;
	if (bytes > INT64_MAX)
		bytes = INT64_MAX;
	lxc_set(s, "lxc.console.size", "%llu", (unsigned long long)bytes);
}

/* liblxc hands the hook to a shell: the path is quoted so that it says nothing to one. */
static void set_hooks(struct lxc_setter *s, const struct run_spec *spec)
{
	if (strchr(spec->end_program, '\'') || strchr(spec->rundir, '\'')) {
		s->failed = err_set(s->e, -EINVAL, "a quote in the path '%s' or '%s'",
				    spec->end_program, spec->rundir);
		return;
	}
	/* Version 1 adds no arguments of its own. */
	lxc_set(s, "lxc.hook.version", "1");
	lxc_set(s, "lxc.hook.post-stop", "'%s' --ended '%s'", spec->end_program, spec->rundir);
	if (!lxc_mounts_are_late(spec))
		lxc_set(s, "lxc.hook.start-host", "'%s' --mount '%s'", spec->end_program,
			spec->rundir);
}

void lxc_configure(struct lxc_setter *s, const struct run_spec *spec)
{
	lxc_set(s, "lxc.log.file", "%s/lxc.log", spec->rundir);
	/* What init ended with is told there and nowhere else; see lxc_read_status(). */
	lxc_set(s, "lxc.log.level", "INFO");
	lxc_set(s, "lxc.uts.name", "%s", spec->hostname);
	/* Only until an init sets its own: not every one does. */
	lxc_set(s, "lxc.environment",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	lxc_set(s, "lxc.console.logfile", "%s", spec->console_log);
	set_console_size(s, spec->console_log_bytes);
	lxc_set(s, "lxc.console.rotate", "1");
	lxc_set(s, "lxc.tty.max", "0");
	lxc_set(s, "lxc.pty.max", "1024");
	set_root(s, spec);
	set_network(s, spec);
	set_groups(s, spec);
	set_hooks(s, spec);
}
