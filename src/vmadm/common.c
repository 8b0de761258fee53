/* SPDX-License-Identifier: MIT */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "libpayload/payload.h"
#include "libvm/vm_object.h"
#include "libquery/vm_query.h"
#include "libvm/zoneadmd.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_LEAST 8

int vmadm_begin(struct vmadm *v, struct cli_call *call, struct err *e)
{
	int r;

	*v = (struct vmadm){ .host = { .fd = -1 } };
	r = host_open(&v->host, cli_get(call, "root"), e);
	if (r < 0)
		return r;
	v->zoneadmd = zoneadmd_find();
	v->vh = (struct vm_host){ &v->host, v->zoneadmd };
	return 0;
}

void vmadm_end(struct vmadm *v)
{
	if (v->host.fd >= 0)
		host_close(&v->host);
	free(v->zoneadmd);
}

/* The original looks at the length and the dashes only. */
static bool has_uuid_shape(const char *text)
{
	return strlen(text) == UUID_LEN && text[8] == '-' && text[13] == '-' &&
	       text[18] == '-' && text[23] == '-';
}

static void copy_lower(char ret[static UUID_STR], const char *text)
{
	size_t i;

	for (i = 0; i < UUID_LEN && text[i]; i++)
		ret[i] = (char)tolower((unsigned char)text[i]);
	ret[i] = '\0';
}

static bool is_named(const struct jv *vm, const char *word)
{
	const char *alias = jv_get_string(vm, "alias");
	size_t len = strlen(word);

	if (alias && strcmp(alias, word) == 0)
		return true;
	return len >= PREFIX_LEAST && strncasecmp(jv_get_string(vm, "uuid"), word, len) == 0;
}

/* How many VMs WORD names; the last one's UUID. */
static int count_named(const struct host *h, const char *word, char ret[static UUID_STR],
		       struct err *e)
{
	cleanup_vm_list struct vm_list list = { 0 };
	cleanup_vm_needs struct vm_needs needs = { .count = 0 };
	int r, count = 0;

	vm_needs_add(&needs, "alias");
	r = vm_list_load(h, &needs, &list, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.count; i++) {
		if (!is_named(list.vms[i], word))
			continue;
		copy_lower(ret, jv_get_string(list.vms[i], "uuid"));
		count++;
	}
	return count;
}

int vmadm_find(struct vmadm *v, struct cli_call *call, struct err *e)
{
	const char *word = cli_operand(call, 0);
	int count = 0;

	if (word && has_uuid_shape(word)) {
		copy_lower(v->uuid, word);
		return 0;
	}
	if (word && *word)
		count = count_named(&v->host, word, v->uuid, e);
	if (count < 0)
		return count;
	if (count == 0 && strcmp(cli_command(call), "kill") == 0)
		return cli_wrong_use(call, "Too many arguments.");
	if (count == 0)
		return cli_wrong_use(call, "Invalid or missing UUID for %s", cli_command(call));
	if (count > 1)
		return err_set(e, -EINVAL, "'%s' names %d VMs; give the UUID", word, count);
	return 0;
}

int vmadm_need_root(const char *why)
{
	if (geteuid() == 0)
		return 0;
	fprintf(stderr, "FATAL: cannot run because: %s\n", why);
	return EXIT_USAGE;
}

int vmadm_begin_change(struct vmadm *v, struct cli_call *call, struct err *e)
{
	int r = vmadm_begin(v, call, e);

	if (r == 0)
		r = vmadm_find(v, call, e);
	return r == 0 ? vmadm_need_root("only root may change VMs") : r;
}

static void say_warnings(const struct vm_report *rep)
{
	for (size_t i = 0; rep && i < jv_len(rep->warnings); i++)
		fprintf(stderr, "warning: %s\n", jv_as_string(jv_at(rep->warnings, i)));
}

void vmadm_done(struct cli_call *call, const char *uuid, const struct vm_report *rep,
		const char *fmt, ...)
{
	cleanup_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s\n", text);
	say_warnings(rep);
	vmadm_answer_ok(call, uuid, rep, text);
}

int vmadm_refused(struct cli_call *call, const struct problems *ps)
{
	cleanup_free char *summary = problems_summary(ps);
	cleanup_free char *details = problems_details(ps);

	vmadm_answer_error(call, -EINVAL, summary, ps);
	fprintf(stderr, "%s\n%s", summary, details);
	return EXIT_REFUSED;
}

int vmadm_failed(struct cli_call *call, const char *prefix, const struct vm_report *rep,
		 const struct err *e)
{
	cleanup_free char *text = NULL;

	say_warnings(rep);
	if (rep && problems_fatal(&rep->problems))
		return vmadm_refused(call, &rep->problems);
	text = prefix ? xasprintf("%s: %s", prefix, e->msg) : xstrdup(e->msg);
	vmadm_answer_error(call, e->code, text, NULL);
	fprintf(stderr, "%s\n", text);
	return EXIT_REFUSED;
}

void vmadm_remarks(struct vm_report *rep, const struct problems *ps)
{
	cleanup_free char *ignored = problems_names(ps, PROBLEM_UNKNOWN);
	cleanup_free char *all = xasprintf("ignored: %s", ignored);

	if (!rep->warnings)
		rep->warnings = jv_array();
	if (*ignored)
		jv_push(rep->warnings, jv_string(all));
	for (size_t i = 0; i < ps->count; i++)
		if (ps->items[i].kind == PROBLEM_NOTE)
			vm_report_warn(rep, "%s: %s", ps->items[i].name, ps->items[i].text);
}

/* All of FD, one byte more than is allowed at most: that is how too much is seen. */
static int read_all(int fd, const char *name, struct buf *b, struct err *e)
{
	char chunk[16384];

	while (b->len <= PAYLOAD_MAX) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, -errno, "Error reading: %s %s", name,
				       strerrordesc_np(errno));
		if (n == 0)
			break;
		buf_add(b, chunk, (size_t)n);
	}
	return 0;
}

int vmadm_open_input(struct cli_call *call, const char *command, int *ret_fd,
		     const char **ret_name, struct err *e)
{
	const char *name = cli_get(call, "file");
	bool from_stdin = !name || strcmp(name, "-") == 0;

	if (from_stdin && isatty(STDIN_FILENO))
		return cli_wrong_use(call, "Will not %s from stdin when stdin is a tty.",
				     command);
	*ret_name = from_stdin ? "stdin" : name;
	*ret_fd = from_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			     : open(name, O_RDONLY | O_CLOEXEC);
	if (*ret_fd < 0 && errno == ENOENT)
		return err_set(e, -ENOENT, "File: %s does not exist.", name);
	if (*ret_fd < 0)
		return err_set(e, -errno, "Error reading: %s %s", *ret_name,
			       strerrordesc_np(errno));
	return 0;
}

int vmadm_read_payload(struct cli_call *call, const char *command, struct jv **ret_payload,
		       struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;
	cleanup_close int fd = -1;
	const char *name;
	int r;

	r = vmadm_open_input(call, command, &fd, &name, e);
	if (r == 0)
		r = read_all(fd, name, &b, e);
	if (r != 0)
		return r;
	return payload_parse(buf_str(&b), b.len, name, ret_payload, e);
}
