/* SPDX-License-Identifier: MIT */
#include "libvm/zoneadmd.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/jv.h"
#include "base/proc.h"
#include "libipc/ipc.h"
#include "libnet/hash.h"
#include "libsys/procfs.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STATE_MAX   65536
#define MESSAGE_MAX 65536
#define LOG_MAX     262144

/* Starting takes well below a second; a host that swaps is given its time. */
#define START_MS 60000

#define CONNECT_MS 5000

/* After the deadline of a stop come the kill, and the tidying up. */
#define STOP_SLACK_S 30

/* A supervisor may die, and another one, while we ask: but not for ever. */
#define ASK_TRIES 3

#define RELOAD_S 30

#define LIBEXEC "/usr/lib/dais"

char *zoneadmd_find(void)
{
	static const char *const beside[] = { "", "/../lib/dais" };
	const char *libexec = getenv("DAIS_LIBEXEC");
	char self[PATH_MAX];
	ssize_t n;

	if (libexec && *libexec)
		return xasprintf("%s/zoneadmd", libexec);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n > 0 ? n : 0] = '\0';
	if (n > 0 && strrchr(self, '/'))
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; n > 0 && i < ARRAY_SIZE(beside); i++) {
		cleanup_free char *path = xasprintf("%s%s/zoneadmd", self, beside[i]);

		if (access(path, X_OK) == 0)
			return take_ptr(path);
	}
	return xstrdup(LIBEXEC "/zoneadmd");
}

/*
 * Of the whole UUID: whose names begin alike would else have the same links, and
 * cleaning up behind one VM would take those of the other.
 */
void zoneadmd_link_name(const char *uuid, unsigned int index,
			char ret[static ZONEADMD_LINK_NAME])
{
	(void)snprintf(ret, ZONEADMD_LINK_NAME, "dz%010llxn%u",
		       (unsigned long long)hash_text(uuid) & 0xffffffffffULL, index % 100);
}

/* "net0", "eth3": the number at the end. */
static int interface_number(const char *interface, unsigned int *ret_number)
{
	const char *digits = interface + strlen(interface);
	unsigned long n;

	while (digits > interface && digits[-1] >= '0' && digits[-1] <= '9')
		digits--;
	n = strtoul(digits, NULL, 10);
	if (*digits == '\0' || n >= ZONEADMD_NICS_MAX)
		return -EINVAL;
	*ret_number = (unsigned int)n;
	return 0;
}

int zoneadmd_nic_link(const char *uuid, const struct jv *nic,
		      char ret[static ZONEADMD_LINK_NAME], struct err *e)
{
	const char *interface = jv_get_string(nic, "interface");
	unsigned int number = 0;

	if (!interface || interface_number(interface, &number) < 0)
		return err_set(e, -EINVAL, "interface: '%s' does not end in a number below %d",
			       interface ? interface : "", ZONEADMD_NICS_MAX);
	zoneadmd_link_name(uuid, number, ret);
	return 0;
}

static int open_rundir(const struct host *h, const char *uuid)
{
	cleanup_free char *dir = xasprintf(HOST_RUN "/%s", uuid);

	return host_dir_existing(h, dir, NULL);
}

static struct jv *load_state(const struct host *h, const char *uuid)
{
	cleanup_close int fd = open_rundir(h, uuid);
	struct jv *state;

	if (fd < 0 || jv_load(fd, "state.json", STATE_MAX, &state, NULL) < 0)
		return NULL;
	return state;
}

pid_t zoneadmd_vm_pid(const struct host *h, const char *uuid)
{
	cleanup_jv struct jv *state = load_state(h, uuid);
	int64_t pid = jv_get_int(state, "pid", 0);
	int64_t start = jv_get_int(state, "pid_start", 0);

	if (pid <= 0 || pid > INT32_MAX || !procfs_is_alive((pid_t)pid, (uint64_t)start))
		return 0;
	return (pid_t)pid;
}

bool zoneadmd_vm_is_running(const struct host *h, const char *uuid)
{
	cleanup_jv struct jv *state = load_state(h, uuid);
	const char *name = jv_get_string(state, "state");
	int64_t pid = jv_get_int(state, "pid", 0);

	return name && strcmp(name, "running") == 0 && pid > 0 && pid <= INT32_MAX &&
	       procfs_is_alive((pid_t)pid, (uint64_t)jv_get_int(state, "pid_start", 0));
}

/* The descriptor is taken first: what is alive afterwards is what it stands for. */
static int pidfd_of(const struct jv *state, const char *pid_name, const char *start_name)
{
	int64_t pid = jv_get_int(state, pid_name, 0);
	uint64_t start = (uint64_t)jv_get_int(state, start_name, 0);
	cleanup_close int fd = -1;

	if (pid <= 0 || pid > INT32_MAX)
		return -ENOENT;
	fd = pidfd_open_process((pid_t)pid, NULL);
	if (fd < 0 || !procfs_is_alive((pid_t)pid, start))
		return -ENOENT;
	return take_fd(fd);
}

int zoneadmd_vm_pidfd(const struct host *h, const char *uuid)
{
	cleanup_jv struct jv *state = load_state(h, uuid);
	int fd = pidfd_of(state, "pid", "pid_start");

	return fd >= 0 ? fd : pidfd_of(state, "supervisor", "supervisor_start");
}

/* The supervisor first: who looks at init before it may have seen both go in between. */
bool zoneadmd_is_alone(const struct host *h, const char *uuid)
{
	cleanup_jv struct jv *state = load_state(h, uuid);
	cleanup_close int supervisor = pidfd_of(state, "supervisor", "supervisor_start");
	cleanup_close int init = pidfd_of(state, "pid", "pid_start");

	return init >= 0 && supervisor < 0;
}

int zoneadmd_supervisor_pidfd(const struct host *h, const char *uuid)
{
	cleanup_jv struct jv *state = load_state(h, uuid);

	return pidfd_of(state, "supervisor", "supervisor_start");
}

bool zoneadmd_is_orphaned(const struct host *h, const char *uuid)
{
	cleanup_jv struct jv *state = load_state(h, uuid);
	cleanup_close int supervisor = pidfd_of(state, "supervisor", "supervisor_start");

	/* Of one that left in peace, and of one that has not begun, the file names nobody. */
	return jv_get_int(state, "supervisor", 0) > 0 && supervisor < 0;
}

int zoneadmd_open_log(const struct host *h, const char *uuid, struct err *e)
{
	cleanup_free char *dir = xasprintf(HOST_POOL "/%s", uuid);
	cleanup_close int fd = -1, logs = -1;
	struct stat st;
	int r;

	fd = host_dir_existing(h, dir, e);
	if (fd < 0)
		return fd;
	if (mkdirat(fd, "logs", 0700) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make '%s/logs'", dir);
	logs = openat(fd, "logs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (logs < 0)
		return err_sys(e, "cannot open '%s/logs'", dir);
	if (fstatat(logs, "zoneadmd.log", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size > LOG_MAX)
		(void)renameat(logs, "zoneadmd.log", logs, "zoneadmd.log.0");
	r = openat(logs, "zoneadmd.log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		   0600);
	return r < 0 ? err_sys(e, "cannot open '%s/logs/zoneadmd.log'", dir) : r;
}

/* ---- starting one -------------------------------------------------------------- */

/* One line, within START_MS. What ended without a word is in its log. */
static int read_line(int fd, char *ret, size_t size, struct err *e)
{
	int64_t deadline = clock_deadline(START_MS);
	size_t len = 0;

	while (len < size - 1) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int r = poll(&p, 1, clock_left_ms(deadline));
		ssize_t n;

		if (r < 0 && errno == EINTR)
			continue;
		if (r == 0)
			return err_set(e, -ETIMEDOUT, "zoneadmd does not answer");
		n = read(fd, ret + len, size - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
		if (ret[len - 1] == '\n') {
			ret[len - 1] = '\0';
			return 0;
		}
	}
	return err_set(e, -EPIPE, "zoneadmd ended before it was ready; see its log");
}

static int read_answer(int fd, struct jv **ret_answer, struct err *e)
{
	cleanup_free char *line = xmalloc(MESSAGE_MAX);
	cleanup_jv struct jv *answer = NULL;
	const char *text;
	int64_t code;
	int r;

	r = read_line(fd, line, MESSAGE_MAX, e);
	if (r == 0)
		r = jv_parse(line, strlen(line), "zoneadmd", &answer, e);
	if (r < 0)
		return r;
	if (jv_get_bool(answer, "ok", false)) {
		*ret_answer = take_ptr(answer);
		return 0;
	}
	text = jv_get_string(answer, "error");
	code = jv_get_int(answer, "code", -EIO);
	return err_set(e, code < 0 && code > -4096 ? (int)code : -EIO, "%s",
		       text ? text : "zoneadmd failed");
}

static int spawn(const struct host *h, const char *program, const char *uuid, bool to_attach,
		 int readyfd, struct err *e)
{
	const char *argv[] = { program,
			       uuid,
			       "--root",
			       *h->root ? h->root : "/",
			       to_attach ? "--attach" : NULL,
			       NULL };
	cleanup_close int log = zoneadmd_open_log(h, uuid, e);
	pid_t pid;

	if (log < 0)
		return log;
	return proc_spawn_daemon(argv, log, readyfd, &pid, e);
}

/* Returns the descriptor on which it will tell how it went. */
static int begin(const struct host *h, const char *program, const char *uuid, bool to_attach,
		 struct err *e)
{
	cleanup_close int in = -1, out = -1;
	int fds[2];
	int r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	in = fds[0];
	out = fds[1];
	/* Once ours is closed, its end is the only one: its death is the end of the file. */
	r = spawn(h, program, uuid, to_attach, out, e);
	return r < 0 ? r : take_fd(in);
}

int zoneadmd_start_begin(const struct host *h, const char *program, const char *uuid,
			 struct err *e)
{
	return begin(h, program, uuid, false, e);
}

int zoneadmd_start_end(int fd, struct jv **ret_warnings, struct err *e)
{
	cleanup_jv struct jv *answer = NULL;
	cleanup_close int own = fd;
	int r = read_answer(own, &answer, e);

	if (r < 0)
		return r;
	if (ret_warnings) {
		struct jv *warnings = jv_get(answer, "warnings");

		*ret_warnings = warnings ? jv_ref(warnings) : jv_array();
	}
	return 0;
}

int zoneadmd_start_vm(const struct host *h, const char *program, const char *uuid,
		      struct jv **ret_warnings, struct err *e)
{
	int fd = zoneadmd_start_begin(h, program, uuid, e);

	return fd < 0 ? fd : zoneadmd_start_end(fd, ret_warnings, e);
}

int zoneadmd_attach_begin(const struct host *h, const char *program, const char *uuid,
			  struct err *e)
{
	return begin(h, program, uuid, true, e);
}

int zoneadmd_attach_end(int fd, bool *ret_running, struct err *e)
{
	cleanup_jv struct jv *answer = NULL;
	cleanup_close int own = fd;
	int r = read_answer(own, &answer, e);

	if (r == 0)
		*ret_running = jv_get_bool(answer, "running", false);
	return r;
}

int zoneadmd_attach_vm(const struct host *h, const char *program, const char *uuid,
		       bool *ret_running, struct err *e)
{
	int fd = zoneadmd_attach_begin(h, program, uuid, e);

	return fd < 0 ? fd : zoneadmd_attach_end(fd, ret_running, e);
}

/* ---- asking one ---------------------------------------------------------------- */

/* ANSWER may be NULL. */
static int ask(int rundirfd, const struct jv *request, unsigned int timeout_s,
	       struct jv **ret_answer, struct err *e)
{
	cleanup_close int fd = ipc_connect(rundirfd, "zoneadmd.sock", CONNECT_MS, e);

	if (fd < 0)
		return fd;
	return ipc_call(fd, request, (int)timeout_s * 1000, ret_answer, e);
}

/* Nobody there, or gone while we asked. */
static bool has_no_supervisor(int code)
{
	return code == -ENOENT || code == -ECONNREFUSED || code == -ECONNRESET ||
	       code == -EPIPE;
}

/* Has a supervisor gone in peace, or was there never one? */
static bool is_clean(const struct host *h, const char *uuid)
{
	cleanup_jv struct jv *state = load_state(h, uuid);
	const char *name = jv_get_string(state, "state");

	return name && strcmp(name, "stopped") == 0;
}

/* 0 as well when it does not run, or not any more; then there is no *RET_ANSWER. */
static int ask_running(const struct host *h, const char *program, const char *uuid,
		       const struct jv *request, unsigned int timeout_s, struct jv **ret_answer,
		       struct err *e)
{
	cleanup_close int rundirfd = open_rundir(h, uuid);
	int r;

	if (rundirfd < 0 || is_clean(h, uuid))
		return 0;
	for (int i = 0; i < ASK_TRIES; i++) {
		bool running = false;

		r = ask(rundirfd, request, timeout_s, ret_answer, e);
		if (!has_no_supervisor(r) || is_clean(h, uuid))
			return has_no_supervisor(r) ? 0 : r;
		r = zoneadmd_attach_vm(h, program, uuid, &running, e);
		if (r < 0 || !running)
			return r;
	}
	return err_set(e, -EAGAIN, "the supervisor of VM %s ends again and again", uuid);
}

/* What a supervisor leaves in peace is written before it goes: so first, is anybody there? */
bool zoneadmd_has_left(const struct host *h, const char *uuid)
{
	cleanup_close int rundirfd = open_rundir(h, uuid);
	cleanup_close int alive = zoneadmd_vm_pidfd(h, uuid);

	return rundirfd >= 0 && alive < 0 && !is_clean(h, uuid);
}

int zoneadmd_stop_vm(const struct host *h, const char *program, const char *uuid, bool force,
		     unsigned int timeout_s, struct err *e)
{
	cleanup_jv struct jv *request = jv_object();

	jv_set(request, "request", jv_string("stop"));
	jv_set(request, "force", jv_bool(force));
	jv_set(request, "timeout_s", jv_int(timeout_s));
	return ask_running(h, program, uuid, request, timeout_s + STOP_SLACK_S, NULL, e);
}

int zoneadmd_reload(const struct host *h, const char *program, const char *uuid,
		    struct jv **ret_warnings, struct err *e)
{
	cleanup_jv struct jv *request = jv_object();
	cleanup_jv struct jv *answer = NULL;
	int r;

	jv_set(request, "request", jv_string("reload"));
	r = ask_running(h, program, uuid, request, RELOAD_S, &answer, e);
	if (r == 0 && ret_warnings) {
		struct jv *warnings = jv_get(answer, "warnings");

		*ret_warnings = warnings ? jv_ref(warnings) : jv_array();
	}
	return r;
}

/* ---- the console --------------------------------------------------------------- */

int zoneadmd_console(const struct host *h, const char *uuid, unsigned short rows,
		     unsigned short columns, struct err *e)
{
	cleanup_jv struct jv *request = jv_object();
	cleanup_close int rundirfd = open_rundir(h, uuid), fd = -1;
	int r;

	if (rundirfd < 0)
		return err_set(e, -ENOENT, "VM %s has no supervisor", uuid);
	fd = ipc_connect(rundirfd, "zoneadmd.sock", CONNECT_MS, e);
	if (fd < 0)
		return fd;
	jv_set(request, "request", jv_string("console"));
	jv_set(request, "rows", jv_int(rows));
	jv_set(request, "columns", jv_int(columns));
	r = ipc_call(fd, request, CONNECT_MS, NULL, e);
	return r < 0 ? r : take_fd(fd);
}
