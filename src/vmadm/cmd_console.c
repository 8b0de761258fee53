/* SPDX-License-Identifier: MIT */
/*
 * console: a person's terminal joined to the console of a zone, until Ctrl-] or the
 * end of the zone; a reboot is none, whoever asked for it. libvm/console.h has the
 * protocol.
 */
#include "vmadm/vmadm.h"

#include "base/jv.h"
#include "libvm/console.h"
#include "libvm/vm_object.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

#define ESCAPE 035 /* Ctrl-] */

/* Between two looks whether the zone, on which a command works, is there again. */
#define AGAIN_MS 200

struct terminal {
	struct vmadm v;
	int fd; /* the console; -1: it is being rebooted */
	int signals;
	bool raw;
	struct termios saved;
};

static void terminal_done(struct terminal *t)
{
	if (t->raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
	close_p(&t->signals);
	close_p(&t->fd);
	vmadm_end(&t->v);
}
#define cleanup_terminal cleanup_with(terminal_done)

/* What is typed goes to the zone as it is: its terminal driver edits lines and echoes. */
static void make_raw(struct terminal *t)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	t->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

/* A signal that ends us still gives the terminal back. */
static int open_signals(struct terminal *t, struct err *e)
{
	static const int numbers[] = { SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT };
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		(void)sigaddset(&set, numbers[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	t->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return t->signals < 0 ? err_sys(e, "cannot wait for signals") : 0;
}

static struct winsize own_size(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	return size;
}

static int join(struct terminal *t, struct err *e)
{
	struct winsize size = own_size();

	close_p(&t->fd);
	t->fd = vm_console(&t->v.vh, t->v.uuid, size.ws_row, size.ws_col, e);
	return t->fd < 0 ? t->fd : 0;
}

/* Each of these: 0 to go on, 1 to leave, or an error. */

/* The supervisor may have been killed or replaced, or the zone is about to start again. */
static int join_again(struct terminal *t, struct err *e)
{
	int r = join(t, e);

	if (r == -EAGAIN)
		return 0;
	return r == -ESRCH ? 1 : r;
}

static int on_input(struct terminal *t, struct err *e)
{
	char buf[CONSOLE_FRAME_MAX];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));
	const char *escape;
	int r;

	if (n < 0 && errno == EINTR)
		return 0;
	/* A script has said all, or the terminal is gone. */
	if (n <= 0)
		return 1;
	escape = memchr(buf, ESCAPE, (size_t)n);
	/* Between two machines nobody hears it. */
	if (t->fd < 0)
		return escape ? 1 : 0;
	r = console_send(t->fd, buf, escape ? (size_t)(escape - buf) : (size_t)n, e);
	/* That the supervisor is gone is seen when we read. */
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return r;
	return escape ? 1 : 0;
}

static int write_out(const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, data, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

			(void)poll(&p, 1, -1);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int on_output(struct terminal *t, struct err *e)
{
	char buf[4096];
	ssize_t n = read(t->fd, buf, sizeof(buf));
	int r;

	if (n > 0) {
		r = write_out(buf, (size_t)n);
		if (r < 0 && r != -EPIPE)
			return err_set(e, r, "cannot write output: %s", strerror(-r));
		return r < 0;
	}
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	return join_again(t, e);
}

static int on_signal(struct terminal *t, struct err *e)
{
	struct signalfd_siginfo info;
	struct winsize size;
	int r;

	if (read(t->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	if (info.ssi_signo != SIGWINCH)
		return 1;
	if (t->fd < 0)
		return 0;
	size = own_size();
	r = console_send_size(t->fd, size.ws_row, size.ws_col, e);
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

static int talk(struct terminal *t, struct err *e)
{
	struct pollfd fds[] = {
		{ .fd = t->signals, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};
	int r = 0;

	while (r == 0) {
		fds[2].fd = t->fd;
		fds[0].revents = fds[1].revents = fds[2].revents = 0;
		if (poll(fds, ARRAY_SIZE(fds), t->fd < 0 ? AGAIN_MS : -1) < 0 && errno != EINTR)
			return err_sys(e, "cannot wait");
		if (t->fd < 0)
			r = join_again(t, e);
		if (r == 0 && fds[0].revents)
			r = on_signal(t, e);
		if (r == 0 && fds[2].revents)
			r = on_output(t, e);
		if (r == 0 && fds[1].revents)
			r = on_input(t, e);
	}
	return r < 0 ? r : 0;
}

static int check_state(const struct terminal *t, struct err *e)
{
	cleanup_jv struct jv *vm = NULL;
	int r = vm_object_load(&t->v.host, t->v.uuid, &vm, e);

	if (r < 0)
		return r;
	/* While it is set up or shut down a look at the console is worth most. */
	if (jv_get_int(vm, "pid", 0) > 0)
		return 0;
	return err_set(e, -EINVAL,
		       "cannot connect to console when state is \"%s\" must be \"running\".",
		       vm_object_state(vm));
}

int cmd_console(struct cli_call *call, struct err *e)
{
	cleanup_terminal struct terminal t = { .v.host = { .fd = -1 },
					       .fd = -1,
					       .signals = -1 };
	int r;

	r = vmadm_need_root("only root may use the console of a VM");
	if (r == 0)
		r = vmadm_begin(&t.v, call, e);
	if (r == 0)
		r = vmadm_find(&t.v, call, e);
	if (r == 0)
		r = check_state(&t, e);
	if (r == 0)
		r = open_signals(&t, e);
	if (r == 0)
		r = join(&t, e);
	if (r != 0)
		return r;
	make_raw(&t);
	return talk(&t, e);
}
