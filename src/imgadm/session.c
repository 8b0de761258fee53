/* SPDX-License-Identifier: MIT */
#include "imgadm/session.h"

#include "base/alloc.h"

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

	progress_say(s->bar, s->words, line);
}

void session_note(void *data, const char *line)
{
	struct session *s = data;
	cleanup_free char *text = xasprintf("imgadm %s: %s", cli_command(s->call), line);

	if (!s->quiet)
		progress_say(s->bar, stderr, text);
}

void session_progress(void *data, uint64_t done)
{
	struct session *s = data;

	if (s->bar)
		progress_update(s->bar, done);
}
