/* SPDX-License-Identifier: MIT */
/*
 * link.c - the way to the host: a socket in a zone, the second serial port in a full
 * virtual machine. Both carry lines, and both may be in the middle of something when
 * we come: a bare newline gets "invalid command" from a host that is in step.
 */
#include "mdata.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)16 << 20)
#define STEP_MS        2000

/* The folder is there before the socket is: where there is a folder, one waits. */
static const struct {
	const char *path;
	const char *sign;
} places[] = {
	{ "/native/.zonecontrol/metadata.sock", "/native/.zonecontrol" },
	{ "/.zonecontrol/metadata.sock", "/.zonecontrol" },
	{ "/dev/ttyS1", "/dev/ttyS1" },
};
#define PLACES (sizeof(places) / sizeof(places[0]))

int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *find_path(const struct link *l)
{
	if (l->path)
		return l->path;
	for (size_t i = 0; i < PLACES; i++)
		if (access(places[i].sign, F_OK) == 0)
			return places[i].path;
	return NULL;
}

bool link_exists(const struct link *l)
{
	return find_path(l) != NULL;
}

/* ---- lines --------------------------------------------------------------------- */

static bool wait_for(int fd, short events, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = until - now_ms();

	return left > 0 && poll(&p, 1, (int)left) == 1;
}

bool link_send(struct link *l, const struct text *t, int64_t until)
{
	for (size_t sent = 0; sent < t->len;) {
		ssize_t n;

		if (!wait_for(l->fd, POLLOUT, until))
			return false;
		n = write(l->fd, t->data + sent, t->len - sent);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		sent += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* What the last call returned is at the beginning of the buffer still: drop it. */
static void drop_taken(struct link *l)
{
	char *end = l->in.len ? memchr(l->in.data, '\0', l->in.len) : NULL;

	if (!end)
		return;
	l->in.len -= (size_t)(end - l->in.data) + 1;
	memmove(l->in.data, end + 1, l->in.len + 1);
}

char *link_line(struct link *l, int64_t until)
{
	char data[4096];
	ssize_t n;

	drop_taken(l);
	for (;;) {
		char *end = l->in.len ? memchr(l->in.data, '\n', l->in.len) : NULL;

		if (end) {
			*end = '\0';
			return l->in.data;
		}
		if (l->in.len > LINE_MAX_BYTES || !wait_for(l->fd, POLLIN, until))
			return NULL;
		n = read(l->fd, data, sizeof(data));
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			return NULL;
		/* A zero byte is in no line of the protocol. */
		for (ssize_t i = 0; i < n; i++)
			data[i] = data[i] ? data[i] : '?';
		if (n > 0)
			text_add(&l->in, data, (size_t)n);
	}
}

static bool ask(struct link *l, const char *question, const char *answer, int64_t until)
{
	struct text t = { 0 };
	char *line;
	bool ok;

	text_add(&t, question, strlen(question));
	ok = link_send(l, &t, until);
	text_free(&t);
	/* What somebody else was told before us is passed over. */
	while (ok && (line = link_line(l, until)))
		if (strcmp(line, answer) == 0)
			return true;
	return false;
}

/* ---- opening ------------------------------------------------------------------- */

static int open_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

/* One program at a time: the lock is waited for as long as others need. */
static int open_serial(const char *path, int64_t until)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct termios tty;

	if (fd < 0)
		return -1;
	while (fcntl(fd, F_SETLK, &lock) < 0 && now_ms() < until)
		(void)poll(NULL, 0, 50);
	if (now_ms() >= until || tcgetattr(fd, &tty) < 0) {
		(void)close(fd);
		return -1;
	}
	cfmakeraw(&tty);
	tty.c_cflag |= CLOCAL | CREAD;
	(void)cfsetspeed(&tty, B115200);
	(void)tcsetattr(fd, TCSANOW, &tty);
	(void)tcflush(fd, TCIOFLUSH);
	return fd;
}

bool link_open(struct link *l, int64_t until)
{
	const char *path = find_path(l);
	int64_t step = now_ms() + STEP_MS;
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return false;
	l->fd = S_ISSOCK(st.st_mode) ? open_socket(path) : open_serial(path, until);
	if (l->fd < 0)
		return false;
	/* A host under load may take its time for the first answer of a socket. */
	if (S_ISSOCK(st.st_mode) || step > until)
		step = until;
	if (ask(l, "\n", "invalid command", step) && ask(l, "NEGOTIATE V2\n", "V2_OK", step))
		return true;
	link_close(l);
	return false;
}

void link_close(struct link *l)
{
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	text_free(&l->in);
}
