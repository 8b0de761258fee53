// SPDX-License-Identifier: MIT
/*
 * Running a command, and what it says; ending what must not be missed.
 */
#include "vm_model.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char output[OUTPUT_MAX];

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("# ", stdout);
	vprintf(fmt, ap);
	va_end(ap);
	puts("\nBail out!  the model and the host differ");
	exit(1);
}

void nap_ms(unsigned int ms)
{
	struct timespec nap = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&nap, NULL);
}

static void become(const struct call *c, int in, int out)
{
	const char *argv[ARGS_MAX + 4] = { vmadm, "--root", c->host ? c->host : root };
	char step[16];
	size_t n = 3;

	if (c->program) {
		argv[0] = c->program;
		n = 1;
	}
	for (size_t i = 0; c->args[i]; i++)
		argv[n++] = c->args[i];
	if (c->crash_at) {
		snprintf(step, sizeof(step), "%d", c->crash_at);
		setenv("DAIS_CRASH_AT", step, 1);
	}
	dup2(in, 0);
	dup2(c->out ? c->out : out, 1);
	dup2(out, 2);
	execv(argv[0], (char **)argv);
	_exit(127);
}

int run_call(const struct call *c)
{
	int in[2], out[2], status;
	size_t have = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0)
		become(c, c->in ? c->in : in[0], out[1]);
	close(in[0]);
	close(out[1]);
	if (c->input && write(in[1], c->input, strlen(c->input)) < 0 && errno != EPIPE)
		die("write: %s", strerror(errno));
	close(in[1]);
	while ((n = read(out[0], output + have, sizeof(output) - 1 - have)) > 0)
		have += (size_t)n;
	output[have] = '\0';
	close(out[0]);
	waitpid(pid, &status, 0);
	return status;
}

int run(const char *const args[], const char *input, int crash_at)
{
	struct call c = { .input = input, .crash_at = crash_at };

	for (size_t i = 0; args[i]; i++)
		c.args[i] = args[i];
	return run_call(&c);
}

int run_op(const struct op *op, int crash_at)
{
	struct call c = { .program = op->program, .input = op->input, .crash_at = crash_at };

	memcpy(c.args, op->args, sizeof(c.args));
	return run_call(&c);
}

void describe(const struct op *op)
{
	printf("# %s", op->program ? op->program : "vmadm");
	for (size_t i = 0; op->args[i]; i++)
		printf(" %s", op->args[i]);
	printf("\n# %s\n", op->input ? op->input : "");
	for (const char *p = output; *p; p++) {
		if (p == output || p[-1] == '\n')
			fputs("# > ", stdout);
		putchar(*p);
	}
	if (*output && output[strlen(output) - 1] != '\n')
		putchar('\n');
}

/* ---- kills ----------------------------------------------------------------------- */

/* Is it NAME, with the VM among its arguments? A guest's processes have other names. */
static bool process_is(const char *pid, const char *name, const char *uuid)
{
	char path[64], text[4096];
	const char *slash;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.16s/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	slash = strrchr(text, '/');
	return strcmp(slash ? slash + 1 : text, name) == 0 &&
	       memmem(text, (size_t)n, uuid, strlen(uuid));
}

void kill_processes(const char *name, const char *uuid)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    process_is(entry->d_name, name, uuid))
			kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
	if (d)
		closedir(d);
}

pid_t kill_later(const char *name, const char *uuid, unsigned int ms)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	nap_ms(ms);
	kill_processes(name, uuid);
	_exit(0);
}

void daemon_again(void)
{
	static pid_t daemon;
	int status;

	if (!vminfod)
		return;
	if (daemon > 0) {
		kill(daemon, SIGKILL);
		waitpid(daemon, &status, 0);
	}
	daemon = fork();
	if (daemon != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 2);
	execl(vminfod, vminfod, "--root", root, NULL);
	_exit(127);
}
