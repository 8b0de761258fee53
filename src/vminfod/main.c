/* SPDX-License-Identifier: MIT */
/*
 * vminfod - all VM objects in memory, for who asks and for who listens.
 *
 * Nothing needs it. It reads what everybody can read (records, state files, journals)
 * and writes nothing but its socket. Killed and started again it finds all of it
 * again; those who listened connect again and are told everything anew.
 *
 * One loop, no threads, no timers but for clients that dawdle: without a change
 * and without a question it sleeps.
 */
#include "vminfod/vminfod.h"

#include "base/alloc.h"
#include "base/cli.h"
#include "base/lock.h"
#include "base/log.h"
#include "libipc/ipc.h"
#include "libvm/vm_index.h"
#include "libquery/vminfo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

struct vminfod {
	struct host host;
	struct event *loop;
	struct http_service service;
	bool listens;
	int lockfd;
	int rundirfd;
};

/* A descriptor for each VM that runs, and one a client. */
static void raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static int take_lock(struct vminfod *d, struct err *e)
{
	cleanup_close int dirfd = host_dir(&d->host, HOST_LOCKS, 0700, e);

	if (dirfd < 0)
		return dirfd;
	d->lockfd = lock_take(dirfd, "vminfod", LOCK_EXCLUSIVE, 0, e);
	if (d->lockfd == -EBUSY)
		return err_set(e, -EBUSY, "another vminfod runs for '%s'",
			       *d->host.root ? d->host.root : "/");
	return d->lockfd < 0 ? d->lockfd : 0;
}

/* "127.0.0.1:9090": of the loopback only. */
static int parse_listen(const char *text, struct sockaddr_in *ret, struct err *e)
{
	const char *colon = strrchr(text, ':');
	cleanup_free char *address = colon ? xstrndup(text, (size_t)(colon - text)) : NULL;
	struct sockaddr_in addr = { .sin_family = AF_INET };
	char *end = NULL;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;

	if (!colon || inet_pton(AF_INET, address, &addr.sin_addr) != 1 || colon[1] < '0' ||
	    colon[1] > '9' || *end || port == 0 || port > 65535)
		return err_set(e, -EINVAL,
			       "--listen: '%s' is not ADDRESS:PORT, such as '127.0.0.1:9090'",
			       text);
	if (ntohl(addr.sin_addr.s_addr) >> 24 != 127)
		return err_set(e, -EINVAL,
			       "--listen: '%s' is not of the loopback (127.0.0.0/8): what is "
			       "served there is for this host only",
			       text);
	addr.sin_port = htons((uint16_t)port);
	*ret = addr;
	return 0;
}

static int open_loopback(const struct sockaddr_in *addr, struct err *e)
{
	cleanup_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return err_sys(e, "cannot make a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
		return err_sys(e, "cannot bind port %d of the loopback", ntohs(addr->sin_port));
	if (listen(fd, SOMAXCONN) < 0)
		return err_sys(e, "cannot listen on the loopback");
	return take_fd(fd);
}

static void on_index_change(void *data, const struct jv *event)
{
	listeners_tell(data, event);
}

/* Everything is known before the socket is there. */
static int set_up(struct vminfod *d, const char *root, const struct sockaddr_in *loopback,
		  struct err *e)
{
	struct http_service *s = &d->service;
	int fd, r;

	r = host_open(&d->host, root, e);
	if (r == 0)
		r = take_lock(d, e);
	if (r == 0)
		r = event_new(&d->loop, e);
	if (r < 0)
		return r;
	(void)clock_gettime(CLOCK_REALTIME, &s->started);
	s->listeners = listeners_new(d->loop, s);
	s->index = vm_index_new(&d->host, on_index_change, s->listeners);
	r = watch_new(d->loop, &d->host, s, e);
	if (r < 0)
		return r;
	d->rundirfd = host_dir(&d->host, HOST_RUN, 0755, e);
	fd = d->rundirfd < 0 ? d->rundirfd : ipc_listen(d->rundirfd, VMINFO_SOCKET, e);
	r = fd < 0 ? fd : http_new(d->loop, fd, false, s, e);
	d->listens = r == 0;
	if (r < 0 || !loopback)
		return r;
	fd = open_loopback(loopback, e);
	return fd < 0 ? fd : http_new(d->loop, fd, true, s, e);
}

static void tear_down(struct vminfod *d)
{
	struct http_service *s = &d->service;

	if (d->listens)
		(void)unlinkat(d->rundirfd, VMINFO_SOCKET, 0);
	if (s->listeners)
		listeners_end(s->listeners);
	http_free_all(s);
	watch_free(s->watch);
	vm_index_free(s->index);
	listeners_free(s->listeners);
	event_free(d->loop);
	close_p(&d->rundirfd);
	close_p(&d->lockfd);
	if (d->host.fd >= 0)
		host_close(&d->host);
}

static int on_signal(void *data, uint32_t events ATTR_UNUSED)
{
	event_exit(data, 0);
	return 0;
}

static int serve(struct vminfod *d, struct err *e)
{
	struct event_source *term, *intr;
	int r;

	r = event_add_signal(d->loop, SIGTERM, on_signal, d->loop, &term, e);
	if (r == 0)
		r = event_add_signal(d->loop, SIGINT, on_signal, d->loop, &intr, e);
	if (r < 0)
		return r;
	log_info("ready, %zu VMs", vm_index_count(d->service.index));
	(void)sd_notify(0, "READY=1");
	return event_run(d->loop, e);
}

static int run_vminfod(struct cli_call *call, struct err *e)
{
	struct vminfod d = { .host = { .fd = -1 }, .lockfd = -1, .rundirfd = -1 };
	const char *listen_on = cli_get(call, "listen");
	struct sockaddr_in loopback;
	int r = 0;

	if (listen_on)
		r = parse_listen(listen_on, &loopback, e);
	if (r < 0)
		return cli_wrong_use(call, "%s", e->msg);
	(void)signal(SIGPIPE, SIG_IGN);
	log_setup("vminfod", NULL);
	raise_limits();
	r = set_up(&d, cli_get(call, "root"), listen_on ? &loopback : NULL, e);
	if (r == 0)
		r = serve(&d, e);
	tear_down(&d);
	return r;
}

int main(int argc, char **argv)
{
	static const struct cli_opt options[] = {
		{ .name = "listen",
		  .arg = "ADDRESS:PORT",
		  .help = "answer on the loopback as well, to everybody on this host" },
		{ .name = "root",
		  .arg = "DIR",
		  .help = "the host's root folder, instead of /",
		  .complete = CLI_DIR },
		CLI_END,
	};
	static const struct cli_cmd command = {
		.args = "",
		.opts = options,
		.run = run_vminfod,
	};
	static const struct cli_prog program = {
		.name = "vminfod",
		.summary = "keep all VM objects in memory, and tell what changes",
		.main_cmd = &command,
	};

	return cli_main(&program, argc, argv);
}
