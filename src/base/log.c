/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES 2048

static struct {
	const char *ident;
	const char *id;
	enum log_level max;
	bool max_is_set;
	bool journal;
} config;

/* systemd names the device and inode of the stream that it gave us, if it did. */
static bool stderr_is_journal(void)
{
	const char *want = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;
	char *end;

	if (!want || fstat(STDERR_FILENO, &st) < 0)
		return false;
	dev = strtoull(want, &end, 10);
	if (*end != ':')
		return false;
	ino = strtoull(end + 1, NULL, 10);
	return st.st_dev == dev && st.st_ino == ino;
}

static enum log_level max_level(void)
{
	const char *debug;

	if (!config.max_is_set) {
		debug = getenv("DAIS_DEBUG");
		config.max =
			debug && strcmp(debug, "1") == 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
		config.max_is_set = true;
	}
	return config.max;
}

void log_setup(const char *ident, const char *id)
{
	config.ident = ident;
	config.id = id;
	config.journal = stderr_is_journal();
}

void log_to_journal(void)
{
	config.journal = true;
}

void log_set_max(enum log_level level)
{
	config.max = level;
	config.max_is_set = true;
}

bool log_has(enum log_level level)
{
	return level <= max_level();
}

/* One message is one line, whatever a guest or a file put into it. */
static void flatten(char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = line[i] == '\t' ? '\t' : ' ';
}

static size_t clamp(size_t used, int added, size_t size)
{
	if (added < 0)
		return used;
	return used + (size_t)added < size ? used + (size_t)added : size - 1;
}

static size_t head(char *line, size_t size, enum log_level level)
{
	size_t used = 0;

	line[0] = '\0';
	if (config.journal)
		used = clamp(used, snprintf(line, size, "<%d>", (int)level), size);
	else if (config.ident)
		used = clamp(used, snprintf(line, size, "%s: ", config.ident), size);
	if (config.id)
		used = clamp(used, snprintf(line + used, size - used, "%s: ", config.id), size);
	return used;
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	int saved = errno;
	size_t used;
	va_list ap;

	if (!log_has(level))
		return;

	used = head(line, sizeof(line) - 1, level);
	va_start(ap, fmt);
	used = clamp(used, vsnprintf(line + used, sizeof(line) - 1 - used, fmt, ap),
		     sizeof(line) - 1);
	va_end(ap);

	flatten(line, used);
	line[used++] = '\n';
	(void)!write(STDERR_FILENO, line, used); /* one write: lines of processes do not mix */
	errno = saved;
}
