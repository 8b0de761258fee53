/* SPDX-License-Identifier: MIT */
#include "zoneadmd/metadata.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/path.h"
#include "libipc/ipc.h"
#include "libmdata/bucket.h"
#include "libsys/procfs.h"
#include "librecord/record.h"
#include "zoneadmd/zoneadmd.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER  "metadata"
#define SOCKET  "metadata.sock"
#define PROGRAM "mdata-agent"

/* Each agent has a user of its own, above all that zones may have. */
#define AGENT_ID_FIRST 4100000000U

/* More than an honest agent lets through. */
#define MESSAGES_PER_SECOND 400
#define MESSAGES_MOST       1000
#define CHANGES_PER_SECOND  10
#define CHANGES_MOST        40

/* An agent that ends is followed by another, sooner when it lived longer. */
#define GAP_FIRST_MS 100
#define GAP_MOST_MS  30000
#define LONG_LIFE_MS 60000

#define END_MS 2000

struct metadata {
	uint32_t id_base; /* of the zone */
	const char *at;   /* where it is inside */
	int folderfd;
	int listenfd;
	int channel; /* -1: there is no agent */
	int agentfd; /* its pidfd */
	int workfd;  /* pidfd of the child that works for it, -1: none */
	int seenfd;  /* the record that the agent has seen, kept so that its number stays taken
		      */
	struct bucket messages;
	struct bucket changes;
	int64_t begun_ms; /* 0: there should be no agent yet */
	int64_t retry_at; /* 0: no new one is due */
	int64_t gap_ms;
};

static struct metadata *get(struct zone *z, const struct jv *record)
{
	const char *brand = jv_get_string(record, "brand");
	bool lx = brand && strcmp(brand, "lx") == 0;

	if (!z->metadata) {
		z->metadata = xmalloc(sizeof(*z->metadata));
		*z->metadata = (struct metadata){ .folderfd = -1,
						  .listenfd = -1,
						  .channel = -1,
						  .agentfd = -1,
						  .workfd = -1,
						  .seenfd = -1,
						  .gap_ms = GAP_FIRST_MS };
	}
	z->metadata->id_base = (uint32_t)jv_get_int(record, "idmap_base", 0);
	z->metadata->at = lx ? "native/.zonecontrol" : ".zonecontrol";
	return z->metadata;
}

/* ---- the socket and its place -------------------------------------------------- */

/* The folder stays the host's: root inside may look and connect, not make files. */
static int open_folder(struct zone *z, struct metadata *m, struct err *e)
{
	if (mkdirat(z->rundirfd, FOLDER, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make '%s/" FOLDER "'", z->rundir);
	m->folderfd =
		openat(z->rundirfd, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (m->folderfd < 0 || fchmod(m->folderfd, 0755) < 0)
		return err_sys(e, "cannot open '%s/" FOLDER "'", z->rundir);
	return 0;
}

/* For root inside, and nobody else. An agent of an earlier supervisor may still be about. */
static int listen_there(struct metadata *m, struct err *e)
{
	(void)unlinkat(m->folderfd, SOCKET, 0);
	m->listenfd = ipc_listen(m->folderfd, SOCKET, e);
	if (m->listenfd < 0)
		return m->listenfd;
	if (fchownat(m->folderfd, SOCKET, m->id_base, m->id_base, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot give '" SOCKET "' to the zone");
	return 0;
}

static int make_socket(struct zone *z, struct metadata *m, struct err *e)
{
	int r = m->folderfd < 0 ? open_folder(z, m, e) : 0;

	return r == 0 && m->listenfd < 0 ? listen_there(m, e) : r;
}

/* Nothing of the zone runs: what is looked at stays what it is. Links are refused. */
static int make_place(struct zone *z, const struct metadata *m, struct err *e)
{
	cleanup_free char *path = xasprintf(HOST_POOL "/%s/root", z->uuid);
	cleanup_close int rootfd =
		path_open_in_root(z->host.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, e);
	cleanup_close int dirfd = -1;
	const char *slash = strchr(m->at, '/');

	if (rootfd < 0)
		return rootfd;
	if (!slash) {
		dirfd = dup(rootfd);
	} else if (mkdirat(rootfd, "native", 0755) == 0 || errno == EEXIST) {
		dirfd = path_open_in_root(rootfd, "native", O_RDONLY | O_DIRECTORY | O_CLOEXEC,
					  0, NULL);
	}
	if (dirfd < 0)
		return err_sys(e, "'/native' of the image cannot be used");
	if (mkdirat(dirfd, ".zonecontrol", 0755) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make '/%s'", m->at);
	return 0;
}

static void warn(struct zone *z, const struct err *e)
{
	zone_warn(z, "metadata", e->msg);
}

void metadata_prepare(struct zone *z, const struct jv *record)
{
	struct metadata *m = get(z, record);
	struct err e;

	if (make_socket(z, m, &e) < 0 || make_place(z, m, &e) < 0)
		warn(z, &e);
}

void metadata_place(struct zone *z)
{
	struct metadata *m = z->metadata;
	struct err e;

	if (m && m->listenfd >= 0 && run_bind(z->run, m->folderfd, m->at, &e) < 0 &&
	    !run_has_ended(z->run, 0))
		warn(z, &e);
}

void metadata_adopt(struct zone *z)
{
	cleanup_jv struct jv *record = NULL;
	struct err e;

	if (record_load(&z->host, z->uuid, &record, &e) < 0 ||
	    make_socket(z, get(z, record), &e) < 0)
		warn(z, &e);
}

/* ---- the agent ----------------------------------------------------------------- */

/* Beside our own program, under its name. */
static char *program_path(const struct zone *z)
{
	const char *slash = strrchr(z->program, '/');

	return slash ? xasprintf("%.*s/" PROGRAM, (int)(slash - z->program), z->program)
		     : xstrdup(PROGRAM);
}

/* Between fork and exec: what the agent finds is its two sockets and our log. */
static _Noreturn void become_agent(struct zone *z, struct metadata *m, const char *program,
				   int channel)
{
	char id[16];
	const char *const argv[] = { PROGRAM, z->uuid, id, NULL };
	int ends[2] = { fcntl(channel, F_DUPFD, 16), fcntl(m->listenfd, F_DUPFD, 16) };
	sigset_t none;

	(void)snprintf(id, sizeof(id), "%u", AGENT_ID_FIRST + m->id_base / RECORD_ID_COUNT);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (fchdir(z->rundirfd) < 0 || dup2(ends[0], CHANNEL_FD) < 0 ||
	    dup2(ends[1], CHANNEL_LISTEN_FD) < 0)
		_exit(126);
	(void)close_range(CHANNEL_LISTEN_FD + 1, ~0U, 0);
	(void)execv(program, (char *const *)argv);
	log_error("cannot run '%s': %m", program);
	_exit(127);
}

static int start_agent(struct zone *z, struct metadata *m, struct err *e)
{
	cleanup_free char *program = program_path(z);
	int ends[2], r;
	pid_t pid;

	if (access(program, X_OK) < 0)
		return err_sys(e, "cannot run '%s'", program);
	r = channel_make(ends, e);
	if (r < 0)
		return r;
	pid = fork();
	if (pid == 0)
		become_agent(z, m, program, ends[1]);
	(void)close(ends[1]);
	if (pid < 0) {
		r = err_sys(e, "cannot fork");
		(void)close(ends[0]);
		return r;
	}
	m->channel = ends[0];
	m->agentfd = pidfd_open_process(pid, e);
	m->begun_ms = clock_now_ms();
	m->retry_at = 0;
	return m->agentfd < 0 ? m->agentfd : 0;
}

/* Returns once it is gone: what is left of us keeps our cgroup. */
static void end_process(int *pidfd)
{
	if (*pidfd >= 0 && pidfd_signal(*pidfd, SIGKILL, NULL) == 0)
		(void)pidfd_wait_end(*pidfd, END_MS);
	close_p(pidfd);
	*pidfd = -1;
}

static void end_agent(struct metadata *m)
{
	close_p(&m->channel);
	end_process(&m->agentfd);
	close_p(&m->seenfd);
}

/* Another one, later each time; at once again after one that lived long. */
static void agent_ended(struct metadata *m)
{
	int64_t now = clock_now_ms();

	end_agent(m);
	if (now - m->begun_ms >= LONG_LIFE_MS)
		m->gap_ms = GAP_FIRST_MS;
	log_warning("the metadata agent has ended; the next in %lld ms", (long long)m->gap_ms);
	m->retry_at = now + m->gap_ms;
	m->gap_ms = m->gap_ms * 4 < GAP_MOST_MS ? m->gap_ms * 4 : GAP_MOST_MS;
}

static void try_agent(struct zone *z, struct metadata *m)
{
	struct err e;

	if (start_agent(z, m, &e) == 0)
		return;
	log_warning("metadata: %s", e.msg);
	m->begun_ms = clock_now_ms();
	agent_ended(m);
}

void metadata_begin(struct zone *z)
{
	struct metadata *m = z->metadata;

	if (!m || m->listenfd < 0)
		return;
	/* Children are nobody's to wait for: pidfds say when they end. */
	(void)signal(SIGCHLD, SIG_IGN);
	bucket_init(&m->messages, MESSAGES_PER_SECOND, MESSAGES_MOST, clock_now_ms());
	bucket_init(&m->changes, CHANGES_PER_SECOND, CHANGES_MOST, clock_now_ms());
	try_agent(z, m);
}

/* ---- what it asks -------------------------------------------------------------- */

/*
 * Has the agent seen the record that there is? A record is replaced, never changed,
 * and the number of the one that we hold open is not given to another.
 */
static bool is_seen(struct zone *z, struct metadata *m)
{
	cleanup_free char *path = xasprintf(HOST_RECORDS "/%s.json", z->uuid);
	cleanup_close int fd = openat(z->host.fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat now, seen;
	bool same = fd >= 0 && m->seenfd >= 0 && fstat(fd, &now) == 0 &&
		    fstat(m->seenfd, &seen) == 0 && now.st_ino == seen.st_ino &&
		    now.st_dev == seen.st_dev;

	if (!same) {
		close_p(&m->seenfd);
		m->seenfd = take_fd(fd);
	}
	return same;
}

static void start_work(struct zone *z, struct metadata *m, const char *message, size_t len)
{
	pid_t pid = fork();

	if (pid == 0)
		metadata_work(z, m->channel, message, len);
	if (pid > 0)
		m->workfd = pidfd_open_process(pid, NULL);
	else
		(void)!channel_send(m->channel, "EThe host is too busy", 21, -1, NULL);
}

static void on_message(struct zone *z, struct metadata *m)
{
	static char message[CHANNEL_MESSAGE_MAX];
	struct err e;
	int len = channel_receive(m->channel, message, sizeof(message), NULL, &e);

	if (len < 0) {
		agent_ended(m);
		return;
	}
	bucket_take(&m->messages, 1, clock_now_ms());
	if (message[0] != 'V')
		bucket_take(&m->changes, 1, clock_now_ms());
	else if (is_seen(z, m) && message[1] == '1') {
		(void)!channel_send(m->channel, "U", 1, -1, NULL);
		return;
	}
	start_work(z, m, message, (size_t)len);
}

/* ---- in the loop --------------------------------------------------------------- */

static int tokens_ms(struct metadata *m)
{
	int64_t now = clock_now_ms();
	int messages = bucket_wait_ms(&m->messages, now);
	int changes = bucket_wait_ms(&m->changes, now);

	return messages > changes ? messages : changes;
}

void metadata_wants(struct zone *z, struct pollfd fds[static METADATA_FDS])
{
	struct metadata *m = z->metadata;
	bool ready = m && m->channel >= 0 && m->workfd < 0 && tokens_ms(m) == 0;

	fds[0] = (struct pollfd){ .fd = ready ? m->channel : -1, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = m ? m->workfd : -1, .events = POLLIN };
}

int64_t metadata_next(struct zone *z)
{
	struct metadata *m = z->metadata;
	int wait;

	if (!m)
		return 0;
	if (m->retry_at)
		return m->retry_at;
	if (m->channel < 0 || m->workfd >= 0)
		return 0;
	wait = tokens_ms(m);
	return wait ? clock_now_ms() + wait : 0;
}

void metadata_turn(struct zone *z, const struct pollfd fds[static METADATA_FDS])
{
	struct metadata *m = z->metadata;

	if (!m)
		return;
	if (fds[1].revents) {
		close_p(&m->workfd);
	} else if (fds[0].revents) {
		on_message(z, m);
	} else if (m->retry_at && clock_now_ms() >= m->retry_at) {
		try_agent(z, m);
	}
}

void metadata_end(struct zone *z, bool machine_runs)
{
	struct metadata *m = z->metadata;

	if (m) {
		end_agent(m);
		/* It may wait for the lock of the command that has us end. */
		end_process(&m->workfd);
		close_p(&m->listenfd);
		close_p(&m->folderfd);
		free(m);
		z->metadata = NULL;
	}
	if (machine_runs)
		return;
	(void)unlinkat(z->rundirfd, FOLDER "/" SOCKET, 0);
	(void)unlinkat(z->rundirfd, FOLDER, AT_REMOVEDIR);
	(void)unlinkat(z->rundirfd, ".nowhere", AT_REMOVEDIR);
}
