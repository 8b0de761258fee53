/* SPDX-License-Identifier: MIT */
#include "base/progress.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <string.h>
#include <sys/ioctl.h>

#define REDRAW_MS   500
#define RATE_MS     2000 /* before that, a rate is a guess */
#define RATE_COUNT  5
#define NUMBERS     35 /* columns: blanks, brackets, percent, bytes, rate, time */
#define TO_COLUMN_1 "\033[1G"
#define TO_LINE_END "\033[K"

struct progress {
	struct progress_state state;
	char *title;
	int64_t began_ms;
	int64_t drawn_ms;
	size_t drawn; /* columns of the line that stands there */
	bool quiet;
	bool terminal;
};

struct progress *progress_begin(const char *title, uint64_t total, bool quiet)
{
	struct progress *p = xcalloc(1, sizeof(*p));

	p->title = xstrdup(title);
	p->state.title = p->title;
	p->state.total = total;
	p->quiet = quiet;
	p->terminal = isatty(STDERR_FILENO) == 1;
	p->began_ms = clock_now_ms();
	p->drawn_ms = p->began_ms - REDRAW_MS;
	return p;
}

/* ---- numbers -------------------------------------------------------------- */

/* "1.5 GiB", in words. */
static void format_size(char *text, size_t size, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double n = (double)bytes;
	size_t unit = 0;

	while (n >= 1024 && unit < ARRAY_SIZE(units) - 1) {
		n /= 1024;
		unit++;
	}
	(void)snprintf(text, size, unit ? "%.1f %s" : "%.0f %s", n, units[unit]);
}

/* "28.03MB", in the bar. */
static void format_bytes(char *text, size_t size, double n, const char *after)
{
	static const char *const units[] = { "B", "KB", "MB", "GB" };
	size_t unit = 0;

	/* What would be rounded to 1024.00 is one of the next. */
	while (n >= 1023.995 && unit < ARRAY_SIZE(units) - 1) {
		n /= 1024;
		unit++;
	}
	(void)snprintf(text, size, "%.2f%s%s", n, units[unit], after);
}

static void format_time(char *text, size_t size, double seconds)
{
	unsigned long long s = seconds < 360000 ? (unsigned long long)seconds : 360000;

	if (s >= 360000)
		(void)snprintf(text, size, ">99h");
	else if (s >= 3600)
		(void)snprintf(text, size, "%2lluh%2llum", s / 3600, s / 60 % 60);
	else if (s >= 60)
		(void)snprintf(text, size, "%2llum%2llus", s / 60, s % 60);
	else
		(void)snprintf(text, size, "%2llus", s);
}

static double rate_of(const struct progress_state *s)
{
	double fresh = s->done > s->before ? (double)(s->done - s->before) : 0;

	return s->elapsed_ms > 0 ? fresh * 1000 / (double)s->elapsed_ms : 0;
}

/* ---- the line ------------------------------------------------------------- */

static size_t add_title(const struct progress_state *s, size_t room, char *line)
{
	size_t len = strlen(s->title);
	const char *dots = len > room ? "..." : "";
	const char *text = s->title;

	if (room > PROGRESS_LINE_MAX / 2)
		room = PROGRESS_LINE_MAX / 2;
	if (len > room) {
		size_t keep = room > 3 ? room - 3 : 0;

		text += len - keep;
	}
	(void)snprintf(line, PROGRESS_LINE_MAX, "%s%-*s", dots,
		       (int)(room > strlen(dots) ? room - strlen(dots) : 0), text);
	return strlen(line);
}

static size_t add_bar(const struct progress_state *s, size_t columns, char *line, size_t at)
{
	size_t full = (size_t)((double)columns * (double)s->done / (double)s->total);

	line[at++] = ' ';
	line[at++] = '[';
	memset(line + at, ' ', columns);
	memset(line + at, '=', full);
	line[at + (full ? full - 1 : 0)] = '>';
	at += columns;
	line[at++] = ']';
	line[at] = '\0';
	return at;
}

static size_t add_percent(const struct progress_state *s, char *line, size_t at)
{
	(void)snprintf(line + at, PROGRESS_LINE_MAX - at, " %3d%%",
		       (int)(100.0 * (double)s->done / (double)s->total));
	return at + strlen(line + at);
}

static void add_numbers(const struct progress_state *s, char *line, size_t at)
{
	bool sure = s->elapsed_ms >= RATE_MS && s->samples > RATE_COUNT;
	bool left = s->total && !s->ended;
	double bytes_s = rate_of(s);
	char bytes[32], rate[32] = "", time[16] = "";

	format_bytes(bytes, sizeof(bytes), (double)s->done, "");
	if (sure || s->ended)
		format_bytes(rate, sizeof(rate), bytes_s, "/s");
	if (!left)
		format_time(time, sizeof(time), (double)s->elapsed_ms / 1000);
	else if (sure && bytes_s > 0)
		format_time(time, sizeof(time), (double)(s->total - s->done) / bytes_s);
	(void)snprintf(line + at, PROGRESS_LINE_MAX - at, " %8s %10s %6s", bytes, rate, time);
}

void progress_format(const struct progress_state *s, size_t width,
		     char line[static PROGRESS_LINE_MAX])
{
	size_t at = add_title(s, width / 4, line);

	if (s->total && width > at + NUMBERS)
		at = add_bar(s,
			     width - at - NUMBERS < PROGRESS_LINE_MAX / 4
				     ? width - at - NUMBERS
				     : PROGRESS_LINE_MAX / 4,
			     line, at);
	if (s->total)
		at = add_percent(s, line, at);
	add_numbers(s, line, at);
	at = strlen(line);
	while (at > 0 && line[at - 1] == ' ')
		at--;
	line[at < width ? at : width] = '\0';
}

/* ---- drawing -------------------------------------------------------------- */

/* One less than there is: in the last, some terminals begin a new line. */
static size_t terminal_width(void)
{
	struct winsize ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) < 0 || ws.ws_col == 0)
		return 79;
	return ws.ws_col - 1U;
}

/* Back to the start, the line, and erase what an older, longer one left. */
static void draw(struct progress *p)
{
	char line[PROGRESS_LINE_MAX];

	p->state.elapsed_ms = clock_now_ms() - p->began_ms;
	progress_format(&p->state, terminal_width(), line);
	fprintf(stderr, TO_COLUMN_1 "%s" TO_LINE_END, line);
	(void)fflush(stderr);
	p->drawn = strlen(line);
	p->drawn_ms = clock_now_ms();
}

static bool is_drawn(const struct progress *p)
{
	return p && p->terminal && !p->quiet && p->drawn > 0;
}

void progress_update(struct progress *p, uint64_t done)
{
	struct progress_state *s = &p->state;

	if (s->total && done > s->total)
		done = s->total;
	if (s->samples == 0)
		s->before = done;
	if (s->samples == 0 || done != s->done)
		s->samples++;
	s->done = done;
	if (p->quiet || !p->terminal || clock_now_ms() - p->drawn_ms < REDRAW_MS)
		return;
	draw(p);
}

void progress_say(struct progress *p, FILE *out, const char *line)
{
	if (!is_drawn(p) || !isatty(fileno(out))) {
		(void)fprintf(out, "%s\n", line);
		(void)fflush(out);
		return;
	}
	(void)fputs(TO_COLUMN_1, stderr);
	(void)fflush(stderr);
	(void)fprintf(out, "%-*s\n", (int)p->drawn, line);
	(void)fflush(out);
	draw(p);
}

static void end_line(const struct progress *p, bool ok)
{
	char done[32], rate[32];

	format_size(done, sizeof(done), p->state.done);
	format_size(rate, sizeof(rate), (uint64_t)rate_of(&p->state));
	(void)fprintf(stderr, "%s  %s  %s/s%s\n", p->title, done, rate,
		      ok ? "" : "  (not finished)");
}

void progress_end(struct progress *p, bool ok)
{
	if (!p)
		return;
	p->state.ended = true;
	p->state.elapsed_ms = clock_now_ms() - p->began_ms;
	if (p->terminal && !p->quiet) {
		draw(p);
		(void)fputc('\n', stderr);
	} else if (!p->quiet) {
		end_line(p, ok);
	}
	free(p->title);
	free(p);
}
