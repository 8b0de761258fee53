/* SPDX-License-Identifier: MIT */
/*
 * uplinks.c - tell networkd which interfaces are NIC tags' ports.
 *
 * overlay's 80-uplink.network has every real interface ask for an address. One that is
 * a tag's must not: the answer would be the bridge's to have, and an interface with
 * addresses is refused as a port. A file that sorts before says so, for this boot.
 */
#include "platform/platform.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/path.h"
#include "libnet/nictag.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "run/systemd/network"
#define PREFIX "10-dais-"
#define SUFFIX ".network"

/* networkd takes more characters, and gives some of them a meaning. */
static bool is_plain(const char *name)
{
	return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
					  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@")] == '\0';
}

/* The MAC goes first, as it does when the bridge is made. The bridge has the same one. */
static int write_one(int dirfd, const struct nictag *tag, struct err *e)
{
	cleanup_buf struct buf b = { 0 };
	char name[sizeof(PREFIX SUFFIX) + NICTAG_MAX];

	buf_addf(&b, "# The interface of the NIC tag '%s'; made at boot.\n[Match]\n",
		 tag->name);
	if (tag->mac[0])
		buf_addf(&b, "MACAddress=%s\nKind=!*\n", tag->mac);
	else
		buf_addf(&b, "Name=%s\n", tag->link);
	buf_addf(&b, "\n[Link]\nUnmanaged=yes\n");
	(void)snprintf(name, sizeof(name), PREFIX "%s" SUFFIX, tag->name);
	/* networkd is a user of its own. */
	return path_write_new(dirfd, name, buf_str(&b), 0644, e);
}

/* Those of tags that there are no more. */
static void forget_all(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		close_p(&fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 &&
		    unlinkat(dirfd, entry->d_name, 0) < 0)
			log_warning("cannot remove '/" FOLDER "/%s': %s", entry->d_name,
				    strerror(errno));
	(void)closedir(dir);
}

int platform_uplinks(const struct host *h, struct err *e)
{
	cleanup_free struct nictag *tags = NULL;
	cleanup_close int dirfd = -1;
	size_t count;
	int r = nictag_load(h, &tags, &count, e);

	if (r < 0)
		return r;
	dirfd = host_dir(h, FOLDER, 0755, e);
	if (dirfd < 0)
		return dirfd;
	forget_all(dirfd);
	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct nictag *tag = &tags[i];

		if (!tag->mac[0] && !tag->link[0])
			continue;
		if (tag->mac[0] || is_plain(tag->link))
			r = write_one(dirfd, tag, e);
		else
			log_warning("nic tag '%s': networkd cannot be told to leave '%s' alone",
				    tag->name, tag->link);
	}
	return r;
}
