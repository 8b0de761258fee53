/* SPDX-License-Identifier: MIT */
#include "libvm/zone_files.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "base/path.h"
#include "libnet/address.h"
#include "librecord/fault.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_ROOM 128

/*
 * The folder DIR of the root, made where it is not there. Each step is opened by
 * itself, below the one before, so that no part of the way can be a link.
 */
static int open_folder(int rootfd, const char *dir, struct err *e)
{
	int fd = dup(rootfd);
	char name[PATH_ROOM];

	if (fd < 0)
		return err_sys(e, "cannot use the root of the zone");
	while (*dir) {
		size_t len = strcspn(dir, "/");
		int next;

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, dir);
		if (mkdirat(fd, name, 0755) < 0 && errno != EEXIST) {
			next = err_sys(e, "cannot make the folder '%s' in the zone", name);
			close_p(&fd);
			return next;
		}
		next = path_open_in_root(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, e);
		close_p(&fd);
		if (next < 0)
			return err_wrap(e, next, "folder '%s' of the image", name);
		fd = next;
		dir += len + (dir[len] == '/');
	}
	return fd;
}

static int write_file(int rootfd, const char *dir, const char *name, const char *text,
		      struct err *e)
{
	cleanup_close int dirfd = -1;
	int r;

	dirfd = open_folder(rootfd, dir, e);
	if (dirfd < 0)
		return dirfd;
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot replace '/%s/%s' of the image", dir, name);
	r = path_write_new(dirfd, name, text, 0644, e);
	if (r == 0)
		r = fault_point("file written", e);
	return r < 0 ? err_wrap(e, r, "'/%s/%s' of the zone", dir, name) : 0;
}

static const struct jv *primary_nic(const struct jv *record)
{
	const struct jv *nics = jv_get(record, "nics");

	for (size_t i = 0; i < jv_len(nics); i++)
		if (jv_get_bool(jv_at(nics, i), "primary", false))
			return jv_at(nics, i);
	return NULL;
}

/* The first static address of the primary NIC, or what Debian gives a host without one. */
static void own_address(const struct jv *record, char ret[static ADDR_STR])
{
	const struct jv *ips = jv_get(primary_nic(record), "ips");
	struct addr a;

	for (size_t i = 0; i < jv_len(ips); i++) {
		if (addr_parse_prefix(jv_as_string(jv_at(ips, i)), &a, NULL) < 0)
			continue;
		addr_format(&a, ret);
		return;
	}
	(void)snprintf(ret, ADDR_STR, "127.0.1.1");
}

char *zone_file_hosts(const struct jv *record)
{
	const char *name = jv_get_string(record, "hostname");
	const char *domain = jv_get_string(record, "dns_domain");
	cleanup_free char *full = NULL;
	char address[ADDR_STR];

	own_address(record, address);
	if (domain && *domain)
		full = xasprintf("%s.%s ", name, domain);
	return xasprintf("127.0.0.1\tlocalhost\n"
			 "::1\t\tlocalhost ip6-localhost ip6-loopback\n"
			 "%s\t%s%s\n",
			 address, full ? full : "", name);
}

char *zone_file_resolv_conf(const struct jv *record)
{
	const struct jv *resolvers = jv_get(record, "resolvers");
	const char *domain = jv_get_string(record, "dns_domain");
	cleanup_buf struct buf b = BUF_INIT;

	if (jv_len(resolvers) == 0)
		return NULL;
	if (domain && *domain)
		buf_addf(&b, "search %s\n", domain);
	for (size_t i = 0; i < jv_len(resolvers); i++)
		buf_addf(&b, "nameserver %s\n", jv_as_string(jv_at(resolvers, i)));
	return buf_take(&b);
}

static bool has_word(const struct jv *ips, const char *word)
{
	for (size_t i = 0; i < jv_len(ips); i++)
		if (strcmp(jv_as_string(jv_at(ips, i)), word) == 0)
			return true;
	return false;
}

char *zone_file_network(const struct jv *nic)
{
	const struct jv *ips = jv_get(nic, "ips");
	const struct jv *gateways = jv_get(nic, "gateways");
	bool dhcp = has_word(ips, "dhcp"), addrconf = has_word(ips, "addrconf");
	cleanup_buf struct buf b = BUF_INIT;

	if (!dhcp && !addrconf)
		return NULL;
	buf_addf(&b, "[Match]\nName=%s\n\n[Network]\nDHCP=%s\nIPv6AcceptRA=%s\n",
		 jv_get_string(nic, "interface"), dhcp ? "ipv4" : "no",
		 addrconf ? "yes" : "no");
	buf_adds(&b, "LinkLocalAddressing=ipv6\n");
	for (size_t i = 0; i < jv_len(ips); i++)
		if (strchr(jv_as_string(jv_at(ips, i)), '/'))
			buf_addf(&b, "Address=%s\n", jv_as_string(jv_at(ips, i)));
	if (!dhcp && jv_get_bool(nic, "primary", false) && jv_len(gateways))
		buf_addf(&b, "Gateway=%s\n", jv_as_string(jv_at(gateways, 0)));
	buf_adds(&b, "\n[DHCPv4]\nClientIdentifier=mac\nUseHostname=no\n");
	return buf_take(&b);
}

/* An image without systemd runs DHCP its own way; a folder of ours would say nothing to it. */
static bool has_systemd(int rootfd)
{
	int fd = path_open_in_root(rootfd, "etc/systemd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
				   NULL);

	if (fd < 0)
		return false;
	close_p(&fd);
	return true;
}

static int write_networks(int rootfd, const struct jv *record, struct err *e)
{
	const struct jv *nics = jv_get(record, "nics");

	if (!has_systemd(rootfd))
		return 0;
	for (size_t i = 0; i < jv_len(nics); i++) {
		const struct jv *nic = jv_at(nics, i);
		cleanup_free char *text = zone_file_network(nic);
		char name[PATH_ROOM];
		int r;

		if (!text)
			continue;
		(void)snprintf(name, sizeof(name), "dais-%s.network",
			       jv_get_string(nic, "interface"));
		r = write_file(rootfd, "etc/systemd/network", name, text, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int zone_files_write_resolvers(int rootfd, const struct jv *record, struct err *e)
{
	cleanup_free char *resolv = zone_file_resolv_conf(record);

	return resolv ? write_file(rootfd, "etc", "resolv.conf", resolv, e) : 0;
}

int zone_files_write(int rootfd, const struct jv *record, bool first_boot, struct err *e)
{
	cleanup_free char *hostname = xasprintf("%s\n", jv_get_string(record, "hostname"));
	cleanup_free char *hosts = zone_file_hosts(record);
	int r;

	r = write_file(rootfd, "etc", "hostname", hostname, e);
	if (r == 0)
		r = write_file(rootfd, "etc", "hosts", hosts, e);
	if (r == 0)
		r = zone_files_write_resolvers(rootfd, record, e);
	if (r == 0)
		r = write_networks(rootfd, record, e);
	if (r == 0 && first_boot)
		r = write_file(rootfd, "var/svc", "provisioning", "", e);
	return r;
}
