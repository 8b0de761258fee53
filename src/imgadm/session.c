/* SPDX-License-Identifier: MIT */
#include "imgadm/session.h"

volatile sig_atomic_t session_interrupted;

static void on_signal(int signo ATTR_UNUSED)
{
	session_interrupted = 1;
}

void session_catch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaction(signals[i], &action, NULL);
}

struct session session_begin(const struct cli_call *call)
{
	return (struct session){ .call = call,
				 .quiet = cli_has(call, "q"),
				 .words = cli_has(call, "json") ? stderr : stdout };
}

void session_bar(struct session *s, const char *title, uint64_t total)
{
	s->bar = progress_begin(title, total, s->quiet || !isatty(STDERR_FILENO));
}

void session_end_bar(struct session *s, bool ok)
{
	progress_end(s->bar, ok);
	s->bar = NULL;
}

void session_say(void *data, const char *line)
{
	struct session *s = data;

	(void)fprintf(s->words, "%s%s\n",
		      s->bar && !s->quiet && isatty(STDERR_FILENO) ? "\r\033[K" : "", line);
	(void)fflush(s->words);
}

void session_note(void *data, const char *line)
{
	struct session *s = data;

	if (!s->quiet)
		(void)fprintf(stderr, "imgadm %s: %s\n", cli_command(s->call), line);
}

void session_progress(void *data, uint64_t done)
{
	struct session *s = data;

	if (s->bar)
		progress_update(s->bar, done);
}
