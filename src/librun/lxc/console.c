/* SPDX-License-Identifier: MIT */
/*
 * console.c - the console of a machine.
 *
 *	machine's /dev/console ◀─pty─▶ [lxc monitor] ◀─proxy pty─▶ us
 *	                                     └──▶ console.log
 *
 * The monitor holds the console and keeps its log, whoever comes and goes. It lends
 * one proxy terminal at a time over its command socket, and takes that back when the
 * connection closes, also because we were killed.
 */
#include "librun/lxc/lxc.h"

#include "libsys/procfs.h"

#include <fcntl.h>
#include <lxc/lxccontainer.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define CONSOLE_TTY 0

/* Numbers that liblxc leaves inheritable, and blocking. */
static int tidy(int fd, bool nonblock)
{
	int flags = fcntl(fd, F_GETFL);

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || flags < 0)
		return -errno;
	return nonblock && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

/* The machine's own terminal has done all that is to be done to a line. */
static int make_raw(int fd)
{
	struct termios raw;

	if (tcgetattr(fd, &raw) < 0)
		return -errno;
	cfmakeraw(&raw);
	return tcsetattr(fd, TCSANOW, &raw) < 0 ? -errno : 0;
}

int lxc_console_open(const char *uuid, int *ret_fd, struct err *e)
{
	struct lxc_container *c = lxc_open(uuid, e);
	cleanup_close int connection = -1, fd = -1;
	int tty = CONSOLE_TTY;

	if (!c)
		return -EIO;
	connection = c->console_getfd(c, &tty, &fd);
	lxc_close(c);
	if (connection < 0)
		return err_set(e, -EBUSY,
			       "liblxc does not give the console: it is in use already");
	if (tidy(connection, false) < 0 || tidy(fd, true) < 0 || make_raw(fd) < 0)
		return err_sys(e, "cannot use the console");
	*ret_fd = take_fd(fd);
	return take_fd(connection);
}

/*
 * The monitor copies the size from the proxy to the machine's terminal when it is told
 * that it has changed. To a monitor that lends no proxy the signal says nothing.
 */
int lxc_console_resize(int monitorfd, int fd, unsigned short rows, unsigned short columns,
		       struct err *e)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	if (monitorfd < 0)
		return err_set(e, -ESRCH, "the machine's monitor is gone");
	if (ioctl(fd, TIOCSWINSZ, &size) < 0)
		return err_sys(e, "cannot set the size of the console");
	return pidfd_signal(monitorfd, SIGWINCH, e);
}
