/* SPDX-License-Identifier: MIT */
#include "base/progress.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define REDRAW_MS  100
#define BAR_WIDTH  24
#define LINE_BYTES 256

struct progress {
	char *title;
	uint64_t total;
	uint64_t done;
	int64_t began_ms;
	int64_t drawn_ms;
	bool quiet;
	bool terminal;
};

struct progress *progress_begin(const char *title, uint64_t total, bool quiet)
{
	struct progress *p = xcalloc(1, sizeof(*p));

	p->title = xstrdup(title);
	p->total = total;
	p->quiet = quiet;
	p->terminal = isatty(STDERR_FILENO) == 1;
	p->began_ms = clock_now_ms();
	p->drawn_ms = p->began_ms - REDRAW_MS;
	return p;
}

/* "1.5 GiB" */
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

static void format_rate(char *text, size_t size, const struct progress *p)
{
	int64_t ms = clock_now_ms() - p->began_ms;
	char bytes[32];

	format_size(bytes, sizeof(bytes),
		    ms > 0 ? (uint64_t)((double)p->done * 1000 / (double)ms) : 0);
	(void)snprintf(text, size, "%s/s", bytes);
}

static void format_bar(char *bar, const struct progress *p)
{
	int full = (int)((double)BAR_WIDTH * (double)p->done / (double)p->total);

	for (int i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR_WIDTH] = '\0';
}

static void format_line(char *line, size_t size, const struct progress *p)
{
	char bar[BAR_WIDTH + 1], done[32], rate[48];

	format_size(done, sizeof(done), p->done);
	format_rate(rate, sizeof(rate), p);
	if (p->total == 0) {
		(void)snprintf(line, size, "%s  %s  %s", p->title, done, rate);
		return;
	}
	format_bar(bar, p);
	(void)snprintf(line, size, "%s  [%s] %3d%%  %s  %s", p->title, bar,
		       (int)(100.0 * (double)p->done / (double)p->total), done, rate);
}

static int terminal_width(void)
{
	struct winsize ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) < 0 || ws.ws_col == 0)
		return 80;
	return ws.ws_col;
}

/* Back to the start, the line, and erase what an older, longer one left. */
static void draw(const struct progress *p)
{
	char line[LINE_BYTES];

	format_line(line, sizeof(line), p);
	fprintf(stderr, "\r%.*s\033[K", terminal_width() - 1, line);
	(void)fflush(stderr);
}

void progress_update(struct progress *p, uint64_t done)
{
	int64_t now;

	p->done = p->total && done > p->total ? p->total : done;
	if (p->quiet || !p->terminal)
		return;
	now = clock_now_ms();
	if (now - p->drawn_ms < REDRAW_MS)
		return;
	p->drawn_ms = now;
	draw(p);
}

void progress_end(struct progress *p, bool ok)
{
	char done[32], rate[48];

	if (!p)
		return;
	if (!p->quiet) {
		format_size(done, sizeof(done), p->done);
		format_rate(rate, sizeof(rate), p);
		fprintf(stderr, "%s%s  %s  %s%s\n", p->terminal ? "\r\033[K" : "", p->title,
			done, rate, ok ? "" : "  (not finished)");
	}
	free(p->title);
	free(p);
}
