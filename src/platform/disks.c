/* SPDX-License-Identifier: MIT */
/*
 * disks.c - is it worth waiting for disks? Waiting for all of udev costs
 * seconds, and most virtual machines have nothing but virtio disks, which are
 * there as soon as their driver is.
 */
#include "platform/pool_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PCI_STORAGE = 0x01, /* base classes and subclasses of PCI */
	PCI_SERIAL_USB = 0x0c03,
	PCI_VENDOR_VIRTIO = 0x1af4,
	VIRTIO_BLK = 2,
	VIRTIO_SCSI = 8,
};

/* A number that the kernel shows in DIR/NAME/FILE, or 0. */
static unsigned long read_number(int dirfd, const char *name, const char *file)
{
	char path[512], text[32] = "";
	cleanup_close int fd = -1;

	if (snprintf(path, sizeof(path), "%s/%s", name, file) >= (int)sizeof(path))
		return 0;
	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	return strtoul(text, NULL, 16);
}

static bool has_driver(int dirfd, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/driver", name);
	return faccessat(dirfd, path, F_OK, 0) == 0;
}

static bool pci_may_come(int dirfd, const char *name)
{
	unsigned long class = read_number(dirfd, name, "class");

	if (class >> 8 == PCI_SERIAL_USB)
		return true;
	return class >> 16 == PCI_STORAGE &&
	       read_number(dirfd, name, "vendor") != PCI_VENDOR_VIRTIO;
}

static bool virtio_may_come(int dirfd, const char *name)
{
	unsigned long type = read_number(dirfd, name, "device");

	return type == VIRTIO_SCSI || (type == VIRTIO_BLK && !has_driver(dirfd, name));
}

/* Does a device in SYS/FOLDER say yes? A bus that is not there has none. */
static bool any(const char *sys, const char *folder, bool (*says)(int dirfd, const char *name))
{
	char path[512];
	struct dirent *entry;
	bool yes = false;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%s", sys, folder);
	dir = opendir(path);
	if (!dir)
		return errno != ENOENT;
	while (!yes && (entry = readdir(dir)))
		yes = entry->d_name[0] != '.' && says(dirfd(dir), entry->d_name);
	(void)closedir(dir);
	return yes;
}

bool pool_disks_may_come(const char *sys)
{
	return any(sys, "bus/pci/devices", pci_may_come) ||
	       any(sys, "bus/virtio/devices", virtio_may_come);
}
