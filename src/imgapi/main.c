/* SPDX-License-Identifier: MIT */
/*
 * imgapi - serve a folder of images, or those of the pool, to imgadm and all that speak
 * IMGAPI; read-only, unless there are writers.
 *
 * The folder, the socket and the key are opened first; then the rights go (rights.c), the
 * images are read, and questions are answered. One loop, no threads, and nothing that wakes
 * it but questions.
 */
#include "imgapi/upload.h"

#include "base/alloc.h"
#include "base/cli.h"
#include "base/log.h"
#include "libsys/host.h"

#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define DEFAULT_LISTEN "127.0.0.1:8080"
#define PEM_MAX        ((size_t)1 << 20)

struct imgapi {
	struct event *loop;
	struct host host;
	struct keeper keeper;
	struct catalog catalog;
	struct http http;
	char *certificate, *key;
	struct writers *writers;
};

/* "127.0.0.1:8080", "[::]:8080" */
static int parse_listen(const char *text, struct addrinfo **ret, struct err *e)
{
	const struct addrinfo hints = { .ai_flags =
						AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
					.ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(text, ':');
	cleanup_free char *host = colon ? xstrndup(text, (size_t)(colon - text)) : NULL;
	char *name = host;
	size_t len = host ? strlen(host) : 0;
	bool bracket = len > 2 && *host == '[' && host[len - 1] == ']';

	if (bracket) {
		host[len - 1] = '\0';
		name++;
	}
	if (!colon || !len || (!bracket && strchr(host, ':')) || !colon[1] ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5 ||
	    strtoul(colon + 1, NULL, 10) - 1 > 65534 ||
	    getaddrinfo(name, colon + 1, &hints, ret) != 0)
		return err_set(
			e, -EINVAL,
			"--listen: '%s' is not ADDRESS:PORT, such as '127.0.0.1:8080' or "
			"'[::]:8080'",
			text);
	return 0;
}

static int open_socket(const struct addrinfo *at, const char *text, struct err *e)
{
	cleanup_close int fd =
		socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return err_sys(e, "cannot make a socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0)
		return err_sys(e, "cannot listen at '%s'", text);
	return take_fd(fd);
}

/* By any path, symbolic links as well: certificates are kept so. */
static int read_pem(const char *path, char **ret, struct err *e)
{
	FILE *f = fopen(path, "re");
	size_t len;

	if (!f)
		return err_sys(e, "cannot open '%s'", path);
	*ret = xcalloc(1, PEM_MAX + 1);
	len = fread(*ret, 1, PEM_MAX, f);
	(void)fclose(f);
	if (len == 0 || len == PEM_MAX)
		return err_set(e, -EINVAL, "'%s' is empty or too large for a PEM file", path);
	return 0;
}

static int on_signal(void *data, uint32_t events ATTR_UNUSED)
{
	event_exit(data, 0);
	return 0;
}

/* Without it the folder would grow old. */
static int on_child(void *data, uint32_t events ATTR_UNUSED)
{
	struct imgapi *d = data;

	if (waitpid(d->keeper.pid, NULL, WNOHANG) != d->keeper.pid)
		return 0;
	log_error("the process that makes files of images has ended");
	event_exit(d->loop, -ECHILD);
	return 0;
}

/* The folder that is served; first of all, as the process that fills it shall have nothing
 * else. */
static int open_folder(struct imgapi *d, struct cli_call *call, struct err *e)
{
	cleanup_free char *dir = NULL;
	int r;

	if (!cli_has(call, "store"))
		return catalog_open(&d->catalog, cli_operand(call, 0), e);
	r = host_open(&d->host, cli_get(call, "root"), e);
	if (r == 0)
		r = keep_start(&d->host, &d->keeper, e);
	if (r < 0)
		return r;
	dir = xasprintf("%s/" KEEP_DIR, d->host.root);
	return catalog_open(&d->catalog, dir, e);
}

static int open_all(struct imgapi *d, struct cli_call *call, const struct addrinfo *at,
		    struct err *e)
{
	const char *certificate = cli_get(call, "certificate");
	int fd, r;

	r = open_folder(d, call, e);
	if (r == 0 && certificate)
		r = read_pem(certificate, &d->certificate, e);
	if (r == 0 && certificate)
		r = read_pem(cli_get(call, "key"), &d->key, e);
	if (r == 0 && cli_has(call, "writers"))
		r = writers_load(cli_get(call, "writers"), &d->writers, e);
	if (r == 0)
		r = event_new(&d->loop, e);
	if (r < 0)
		return r;
	d->http =
		(struct http){ .loop = d->loop, .catalog = &d->catalog, .writers = d->writers };
	fd = open_socket(at, cli_get(call, "listen") ? cli_get(call, "listen") : DEFAULT_LISTEN,
			 e);
	return fd < 0 ? fd : http_start(&d->http, fd, d->certificate, d->key, e);
}

static int serve(struct imgapi *d, struct err *e)
{
	struct event_source *term, *intr, *child;
	int r;

	r = event_add_signal(d->loop, SIGTERM, on_signal, d->loop, &term, e);
	if (r == 0)
		r = event_add_signal(d->loop, SIGINT, on_signal, d->loop, &intr, e);
	if (r == 0 && d->keeper.pid)
		r = event_add_signal(d->loop, SIGCHLD, on_child, d, &child, e);
	if (r < 0)
		return r;
	/* Who connects from here on waits. Later there is no socket to say it through. */
	(void)sd_notify(1, "READY=1");
	r = rights_drop(d->catalog.dirfd, d->writers != NULL, e);
	if (r == 0 && d->writers)
		r = upload_sweep(d->catalog.dirfd, e);
	if (r == 0)
		r = catalog_read(&d->catalog, e);
	if (r < 0)
		return r;
	log_info("ready, %zu images", d->catalog.count);
	return event_run(d->loop, e);
}

static void tear_down(struct imgapi *d)
{
	http_stop(&d->http);
	event_free(d->loop);
	catalog_close(&d->catalog);
	host_close(&d->host);
	close_p(&d->keeper.lifeline);
	if (d->key)
		explicit_bzero(d->key, PEM_MAX);
	free(d->key);
	free(d->certificate);
	writers_free(d->writers);
}

/* Can only this machine hear what is said at AT? */
static bool is_loopback(const struct addrinfo *at)
{
	const struct sockaddr_in *four = (const void *)at->ai_addr;
	const struct sockaddr_in6 *six = (const void *)at->ai_addr;

	if (at->ai_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	return at->ai_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static int run_imgapi(struct cli_call *call, struct err *e)
{
	struct imgapi d = { .host = { .fd = -1 },
			    .keeper = { .lifeline = -1 },
			    .catalog = { .dirfd = -1, .notify = -1 } };
	const char *listen_on = cli_get(call, "listen");
	struct addrinfo *at;
	int r;

	if (cli_has(call, "certificate") != cli_has(call, "key"))
		return cli_wrong_use(call, "--certificate and --key are given together");
	if (cli_has(call, "store") == (cli_operand(call, 0) != NULL))
		return cli_wrong_use(call, "give DIR, or --store for the images of the pool");
	if (cli_has(call, "root") && !cli_has(call, "store"))
		return cli_wrong_use(call, "--root goes with --store");
	if (cli_has(call, "writers") && cli_has(call, "store"))
		return cli_wrong_use(call, "--writers need a folder, not --store");
	if (parse_listen(listen_on ? listen_on : DEFAULT_LISTEN, &at, e) < 0)
		return cli_wrong_use(call, "%s", e->msg);
	/* A signature that is heard can be said again, for minutes. */
	if (cli_has(call, "writers") && !cli_has(call, "certificate") && !is_loopback(at)) {
		freeaddrinfo(at);
		return cli_wrong_use(call, "--writers needs HTTPS (--certificate and --key), "
					   "or an address of this machine alone");
	}
	(void)signal(SIGPIPE, SIG_IGN);
	log_setup("imgapi", NULL);
	r = open_all(&d, call, at, e);
	freeaddrinfo(at);
	if (r == 0)
		r = serve(&d, e);
	tear_down(&d);
	return r;
}

int main(int argc, char **argv)
{
	static const struct cli_opt options[] = {
		{ .name = "certificate",
		  .arg = "FILE",
		  .help = "serve HTTPS with this certificate (PEM), its chain behind it",
		  .complete = CLI_FILE },
		{ .name = "key",
		  .arg = "FILE",
		  .help = "the certificate's private key (PEM)",
		  .complete = CLI_FILE },
		{ .name = "listen",
		  .arg = "ADDRESS:PORT",
		  .help = "where to answer (default: " DEFAULT_LISTEN ")" },
		{ .name = "root",
		  .arg = "DIR",
		  .help = "the host below DIR, not this one",
		  .complete = CLI_DIR },
		{ .name = "store", .help = "serve the images that are installed" },
		{ .name = "writers",
		  .arg = "FOLDER",
		  .help = "take images from those whose public keys are there, as LOGIN.pem",
		  .complete = CLI_DIR },
		CLI_END,
	};
	static const struct cli_cmd command = {
		.args = "DIR | --store",
		.opts = options,
		.min_operands = 0,
		.max_operands = 1,
		.complete = CLI_DIR,
		.run = run_imgapi,
	};
	static const struct cli_prog program = {
		.name = "imgapi",
		.summary = "serve a folder of images, or the pool's, over HTTP",
		.main_cmd = &command,
	};

	return cli_main(&program, argc, argv);
}
