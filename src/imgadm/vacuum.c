/* SPDX-License-Identifier: MIT */
#include "imgadm/vacuum.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_MAX 36500
#define KEEP_MAX 1000000
#define DATE_LEN 20 /* "2026-01-02T03:04:05" and its end */

/* ---- the options ---------------------------------------------------------- */

static int read_number(struct cli_call *call, const char *name, int max, int *ret)
{
	const char *text = cli_get(call, name);
	char *end = NULL;
	long n;

	*ret = 0;
	if (!text)
		return 0;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 1 || n > max || text[0] == '+')
		return cli_wrong_use(call, "--%s is a number from 1 to %d, not '%.32s'", name,
				     max, text);
	*ret = (int)n;
	return 0;
}

int vacuum_rule_read(struct cli_call *call, struct vacuum_rule *ret)
{
	int r = read_number(call, "older-than", DAYS_MAX, &ret->days);

	return r ? r : read_number(call, "keep", KEEP_MAX, &ret->keep);
}

/* ---- by age --------------------------------------------------------------- */

/* All such dates are in UTC and of one form, so that their order is that of their letters. */
static enum vacuum_stays by_age(const struct image *img, const char *since)
{
	const char *at = jv_get_string(img->meta, "installed_at");

	if (!at || strlen(at) < DATE_LEN || at[4] != '-' || at[10] != 'T')
		return VACUUM_STAYS_UNDATED;
	return strcmp(at, since) >= 0 ? VACUUM_STAYS_YOUNG : VACUUM_STAYS_NOT;
}

/* ---- by name -------------------------------------------------------------- */

/* Of an image of a registry: was it ever asked for, or did it come below another? */
static bool has_name(const struct jv *tags)
{
	for (void *it = jv_iter(tags); it; it = jv_iter_next(tags, it))
		if (strncmp(jv_iter_key(it), "docker:tag:", 11) == 0 ||
		    strcmp(jv_iter_key(it), "docker:config") == 0)
			return true;
	return false;
}

/* What versions of it share; NULL: it is a version of nothing. */
static const char *family(const struct image *img)
{
	const struct jv *tags = jv_get(img->manifest, "tags");
	const char *repo = jv_get_string(tags, "docker:repo");

	if (!repo)
		return image_name(img);
	return has_name(tags) ? repo : NULL;
}

/* Is it among the newest of its name? The list has the newest at its end. */
static bool is_newest(const struct image_list *images, const char *const *families, size_t at,
		      int keep)
{
	int newer = 0;

	for (size_t i = at + 1; i < images->count && newer < keep; i++)
		if (families[i] && strcmp(families[i], families[at]) == 0)
			newer++;
	return newer < keep;
}

enum vacuum_stays *vacuum_rule_apply(const struct vacuum_rule *rule,
				     const struct image_list *images, time_t now)
{
	enum vacuum_stays *stays = xcalloc(images->count + 1, sizeof(*stays));
	cleanup_free const char **families = xcalloc(images->count + 1, sizeof(*families));
	time_t then = now - (time_t)rule->days * 86400;
	char since[32] = "";
	struct tm tm;

	(void)gmtime_r(&then, &tm);
	(void)strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%S", &tm);
	for (size_t i = 0; i < images->count; i++)
		families[i] = family(&images->items[i]);
	for (size_t i = 0; i < images->count; i++) {
		if (rule->days)
			stays[i] = by_age(&images->items[i], since);
		if (stays[i] == VACUUM_STAYS_NOT && rule->keep && families[i] &&
		    is_newest(images, families, i, rule->keep))
			stays[i] = VACUUM_STAYS_NEWEST;
	}
	return stays;
}
