/* SPDX-License-Identifier: MIT */
#include "init/loop.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int loop_attach(const char *image, char ret_device[static LOOP_NAME_LEN], struct err *e)
{
	struct loop_config config = { .info.lo_flags =
					      LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR };
	cleanup_close int fd = open(image, O_RDONLY | O_CLOEXEC);
	cleanup_close int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int number, device;

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", image);
	if (control < 0)
		return err_sys(e, "cannot open '/dev/loop-control' (is the module 'loop' in "
				  "modules.order?)");
	number = ioctl(control, LOOP_CTL_GET_FREE);
	if (number < 0)
		return err_sys(e, "cannot get a loop device");
	(void)snprintf(ret_device, LOOP_NAME_LEN, "/dev/loop%d", number);
	device = open(ret_device, O_RDONLY | O_CLOEXEC);
	if (device < 0)
		return err_sys(e, "cannot open '%s'", ret_device);
	config.fd = (unsigned int)fd;
	if (ioctl(device, LOOP_CONFIGURE, &config) < 0) {
		(void)err_sys(e, "cannot attach '%s' to '%s'", image, ret_device);
		close_p(&device);
		return -EIO;
	}
	return device;
}
