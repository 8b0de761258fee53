/* SPDX-License-Identifier: MIT */
/*
 * console - drive a machine over its serial console, one step a call.
 *
 *	console [-t SECONDS] SOCKET login PASSWORD
 *	console [-t SECONDS] SOCKET run COMMAND
 *	console [-t SECONDS] SOCKET choose ENTRY
 *
 * SOCKET is where QEMU offers the console ("-chardev socket,server=on,wait=off";
 * it may be connected to again and again, and QEMU itself keeps the log). login
 * waits for a login prompt, logs root in, and leaves a quiet shell behind. run
 * has that shell run COMMAND and prints what it writes; its status is console's.
 * choose walks GRUB's menu, which has to be there, to the first entry that begins
 * with ENTRY, and takes it.
 *
 * Nothing is guessed from prompts: a command's output stands between two marks
 * that only this call knows, and the marks are typed in two halves, so that an
 * echo of the line is not taken for them. The line is not to be trusted: under
 * emulation it was seen to double a character now and then. So the output waits
 * in a file, the end mark tells its length and is sent twice, and what does not
 * have that length is sent again. 124: the time was up, and what was
 * seen last is on standard error. 125: wrong use, or no connection.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SEEN_MAX (4 << 20)
#define TAIL     2000
#define OUTPUT   "/run/console.out"

/* Of GRUB's menu. */
#define SCREEN_WIDTH 80
#define KEY_HOME     "\001"
#define KEY_DOWN     "\016"
#define ANSWER_MAX   10 /* seconds: it may answer on another line */

enum { EXIT_TIMEOUT = 124, EXIT_TROUBLE = 125 };

static struct {
	int fd;
	char *seen; /* what came since the last forget() */
	size_t len;
	double deadline;
} con;

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void __attribute__((noreturn)) give_up(const char *what)
{
	size_t from = con.len > TAIL ? con.len - TAIL : 0;

	fprintf(stderr, "console: %s; the last that was seen:\n%s\n", what, con.seen + from);
	exit(EXIT_TIMEOUT);
}

static void __attribute__((noreturn)) trouble(const char *what)
{
	fprintf(stderr, "console: %s: %s\n", what, strerror(errno));
	exit(EXIT_TROUBLE);
}

static void forget(void)
{
	con.len = 0;
	con.seen[0] = '\0';
}

static void send_text(const char *text)
{
	for (size_t left = strlen(text); left > 0;) {
		ssize_t n = send(con.fd, text, left, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			trouble("cannot write to the console");
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
	}
}

/* Take what comes within SECONDS. False: nothing came. */
static bool take(double seconds)
{
	struct pollfd p = { .fd = con.fd, .events = POLLIN };
	double left = con.deadline - now();
	ssize_t n;

	if (left <= 0)
		give_up("the time is up");
	if (poll(&p, 1, (int)((seconds < left ? seconds : left) * 1000) + 1) <= 0)
		return false;
	n = recv(con.fd, con.seen + con.len, SEEN_MAX - con.len, 0);
	if (n <= 0)
		give_up("the machine is gone");
	for (ssize_t i = 0; i < n; i++) { /* a '\0' would hide the rest from strstr() */
		if (con.seen[con.len + (size_t)i] == '\0')
			con.seen[con.len + (size_t)i] = '?';
	}
	con.len += (size_t)n;
	con.seen[con.len] = '\0';
	if (con.len > SEEN_MAX - 4096)
		give_up("more output than anybody reads");
	return true;
}

/* The first of two texts that shows up; AGAIN is typed every two seconds meanwhile. */
static const char *wait_for(const char *a, const char *b, const char *again)
{
	double typed = now();

	for (;;) {
		if (strstr(con.seen, a))
			return a;
		if (b && strstr(con.seen, b))
			return b;
		(void)take(0.5);
		if (again && now() - typed > 2) {
			send_text(again);
			typed = now();
		}
	}
}

static int log_in(const char *password)
{
	/* A shell without line editing, echo and prompt, that the kernel does not talk into. */
	static const char quiet[] =
		"exec bash --norc --noprofile --noediting\n"
		"stty -echo -onlcr cols 200; PS1= PS2=; set +m; dmesg -n 1; "
		"export TERM=dumb SYSTEMD_COLORS=0 SYSTEMD_PAGER=cat; "
		"echo con''sole-ready\n";

	(void)wait_for("login: ", NULL, "\n");
	/* Let a second prompt, the answer to one Enter too many, go by. */
	while (take(0.7))
		;
	forget();
	send_text("root\n");
	(void)wait_for("assword: ", NULL, NULL);
	forget();
	send_text(password);
	send_text("\n");
	if (strcmp(wait_for("ncorrect", "# ", NULL), "# ") != 0) {
		fprintf(stderr, "console: the password is refused\n");
		return 1;
	}
	send_text(quiet);
	(void)wait_for("console-ready", NULL, NULL);
	return 0;
}

/*
 * Type BEFORE (a command whose output goes to the file, or nothing), then show the
 * file. Returns the status that stood in the end mark; *RET_WHOLE tells whether
 * all that the file has stands between *RET_FROM and *RET_TO, and nothing else.
 */
static long show(const char *before, unsigned int id, const char **ret_from,
		 const char **ret_to, bool *ret_whole)
{
	char begin[64], end[64];
	size_t size = strlen(before) + 512;
	char *line = malloc(size);
	char *rest;
	long status;

	if (!line)
		trouble("no memory");
	(void)snprintf(begin, sizeof(begin), "@@%08x-begin@@\n", id);
	(void)snprintf(end, sizeof(end), "@@%08x-end:", id);
	(void)snprintf(line, size,
		       "%secho @@'%08x'-begin@@; cat " OUTPUT "; for i in 1 2; do "
		       "echo @@'%08x'-end:$status:$(stat -c %%s " OUTPUT ")@@; done\n",
		       before, id, id);
	forget();
	send_text(line);
	free(line);
	(void)wait_for(end, NULL, NULL);
	while (!strstr(strstr(con.seen, end) + strlen(end), "@@\n"))
		(void)take(1);
	*ret_to = strstr(con.seen, end);
	*ret_from = strstr(con.seen, begin);
	if (!*ret_from || *ret_from > *ret_to)
		*ret_from = *ret_to;
	else
		*ret_from += strlen(begin);
	status = strtol(*ret_to + strlen(end), &rest, 10);
	*ret_whole = *rest == ':' && strtol(rest + 1, NULL, 10) == *ret_to - *ret_from;
	return status;
}

static int run(const char *command)
{
	unsigned int id = (unsigned int)(now() * 1000) ^ (unsigned int)getpid() << 16;
	size_t size = strlen(command) + 128;
	char *line = malloc(size);
	const char *from, *to;
	bool whole;
	long status;

	if (!line)
		trouble("no memory");
	(void)snprintf(line, size, "{ %s\n} </dev/null >" OUTPUT " 2>&1; status=$?; ", command);
	status = show(line, id, &from, &to, &whole);
	free(line);
	while (!whole)
		status = show("", ++id, &from, &to, &whole);
	(void)fwrite(from, 1, (size_t)(to - from), stdout);
	return (int)status;
}

/* The row that GRUB drew as the chosen one last, when all of it is there. */
static const char *chosen_row(void)
{
	const char *row = strrchr(con.seen, '*');

	return row && strchr(row, '\033') ? row + 1 : NULL;
}

/*
 * What is chosen after KEY. A key is answered by drawing rows, at the ends of the
 * menu as well. It is typed once: a second one would move on whenever it is heard.
 */
static const char *row_after(const char *key)
{
	forget();
	send_text(key);
	while (!chosen_row())
		(void)take(1);
	while (take(0.5))
		;
	return chosen_row();
}

/* Who leaves unread what the machine writes takes the keys along that are on their way. */
static int choose(const char *entry)
{
	char last[SCREEN_WIDTH + 1] = "";
	const char *row = row_after(KEY_HOME);

	while (strncmp(row, entry, strlen(entry)) != 0) {
		/* The last one again: from the top, lest a character was doubled. */
		bool end = *last != '\0' && strncmp(row, last, strlen(last)) == 0;

		(void)snprintf(last, sizeof(last), "%.*s", (int)strcspn(row, "\033"), row);
		row = row_after(end ? KEY_HOME : KEY_DOWN);
	}
	forget();
	send_text("\r");
	(void)take(ANSWER_MAX);
	while (take(0.5))
		;
	return 0;
}

static void connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		trouble(path);
	}
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	con.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	con.seen = calloc(1, SEEN_MAX + 1);
	if (con.fd < 0 || !con.seen || connect(con.fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		trouble(path);
}

int main(int argc, char **argv)
{
	long seconds = 60;

	if (argc > 2 && strcmp(argv[1], "-t") == 0) {
		seconds = strtol(argv[2], NULL, 10);
		argc -= 2;
		argv += 2;
	}
	if (argc != 4 || seconds <= 0) {
		fprintf(stderr, "usage: console [-t SECONDS] SOCKET "
				"login PASSWORD | run COMMAND | choose ENTRY\n");
		return EXIT_TROUBLE;
	}
	con.deadline = now() + (double)seconds;
	connect_to(argv[1]);
	if (strcmp(argv[2], "login") == 0)
		return log_in(argv[3]);
	if (strcmp(argv[2], "run") == 0)
		return run(argv[3]);
	if (strcmp(argv[2], "choose") == 0)
		return choose(argv[3]);
	fprintf(stderr, "console: no such step: '%s'\n", argv[2]);
	return EXIT_TROUBLE;
}
