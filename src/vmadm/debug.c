/* SPDX-License-Identifier: MIT */
/*
 * debug.c - what VMADM_DEBUG_LEVEL and VMADM_DEBUG_FILE ask for: one JSON object a
 * line, in the form of the original's log, to standard error or to that file.
 *
 * Clients take the last line of standard error for the error: nothing is written
 * after the error's text.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/log.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static struct {
	int level; /* 0: nothing is written */
	int fd;
	const char *request;
} debug;

static int level_from_text(const char *text)
{
	static const struct {
		const char *name;
		int level;
	} levels[] = {
		{ "trace", 10 }, { "debug", VMADM_DEBUG_DEBUG }, { "info", 30 },
		{ "warn", 40 },  { "error", VMADM_DEBUG_ERROR }, { "fatal", 60 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (strcasecmp(text, levels[i].name) == 0)
			return levels[i].level;
	/* Numbers of that scale do as well; a word that is none of them asks for all. */
	return *text >= '1' && *text <= '9' ? (int)strtol(text, NULL, 10) : VMADM_DEBUG_DEBUG;
}

void vmadm_debug_setup(void)
{
	const char *level = getenv("VMADM_DEBUG_LEVEL");
	const char *file = getenv("VMADM_DEBUG_FILE");

	debug.request = getenv("REQ_ID") ? getenv("REQ_ID") : getenv("req_id");
	if ((!level || !*level) && (!file || !*file))
		return;
	debug.fd = STDERR_FILENO;
	if (file && *file) {
		debug.fd =
			open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
		if (debug.fd < 0)
			return;
	}
	debug.level = level && *level ? level_from_text(level) : VMADM_DEBUG_DEBUG;
}

static void set_moment(struct jv *line)
{
	struct timespec now;
	char text[48];
	struct tm tm;
	size_t n;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + n, sizeof(text) - n, ".%03dZ", (int)(now.tv_nsec / 1000000));
	jv_set(line, "time", jv_string(text));
}

void vmadm_debug(int level, const char *fmt, ...)
{
	cleanup_jv struct jv *line = NULL;
	cleanup_free char *text = NULL, *dumped = NULL;
	char host[HOST_NAME_MAX + 1] = "";
	va_list ap;

	if (!debug.level || level < debug.level)
		return;
	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	(void)gethostname(host, sizeof(host) - 1);
	line = jv_object();
	jv_set(line, "name", jv_string("vmadm"));
	jv_set(line, "hostname", jv_string(host));
	jv_set(line, "pid", jv_int(getpid()));
	if (debug.request && *debug.request)
		jv_set(line, "req_id", jv_string(debug.request));
	jv_set(line, "level", jv_int(level));
	jv_set(line, "msg", jv_string(text));
	set_moment(line);
	jv_set(line, "v", jv_int(0));
	dumped = jv_dump(line, 0);
	/* Who does not read it has no use for it. */
	(void)dprintf(debug.fd, "%s\n", dumped);
}

void vmadm_debug_command(int argc, char **argv)
{
	cleanup_jv struct jv *words = NULL;
	cleanup_free char *text = NULL;

	if (!debug.level)
		return;
	words = jv_array();
	for (int i = 0; i < argc; i++)
		jv_push(words, jv_string(argv[i]));
	text = jv_dump(words, 0);
	vmadm_debug(VMADM_DEBUG_DEBUG, "command line: %s", text);
}
