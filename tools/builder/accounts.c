/* SPDX-License-Identifier: MIT */
#include "builder/accounts.h"

#include "base/alloc.h"
#include "builder/text.h"

#include <limits.h>
#include <string.h>

#define ACCOUNTS_FILE_MAX (1 << 20)

static void table_done(struct account_table *t)
{
	free(t->text);
	free(t->file);
	free(t->list);
	memset(t, 0, sizeof(*t));
}

void accounts_done(struct accounts *a)
{
	table_done(&a->users);
	table_done(&a->groups);
}

/* The last id means "leave it as it is" to chown(2), and so is nobody's. */
static bool parse_id(const char *text, unsigned int *ret_id)
{
	unsigned long long id = 0;

	if (!*text)
		return false;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		id = id * 10 + (unsigned long long)(*p - '0');
		if (id >= UINT_MAX)
			return false;
	}
	*ret_id = (unsigned int)id;
	return true;
}

/* NAME:PASSWORD:ID[:...], for both files. */
static bool parse_account(char *line, struct account *ret_account)
{
	char *name_end = strchr(line, ':');
	char *password_end = name_end ? strchr(name_end + 1, ':') : NULL;

	if (!password_end || name_end == line)
		return false;
	*name_end = '\0';
	password_end[1 + strcspn(password_end + 1, ":")] = '\0';
	ret_account->name = line;
	return parse_id(password_end + 1, &ret_account->id);
}

static void add_account(struct account_table *t, struct account account)
{
	t->list = xrealloc_array(t->list, t->count + 1, sizeof(*t->list));
	t->list[t->count++] = account;
}

static void parse_table(struct account_table *t, struct report *r)
{
	struct place at = { .file = t->file };
	char *next;

	for (char *line = t->text; line; line = next) {
		struct account account = { 0 };

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		at.line++;
		/* Lines of '+' and '-' belong to NIS, which no image has. */
		if (*line == '\0' || *line == '#' || *line == '+' || *line == '-')
			continue;
		if (!parse_account(line, &account)) {
			report_error(r, at, "not an account; that is NAME:PASSWORD:ID:...");
			continue;
		}
		add_account(t, account);
	}
}

static void load_table(struct account_table *t, const struct search *s, const char *given,
		       const char *in_image, struct report *r)
{
	cleanup_close int fd = -1;
	const char *dir = NULL;
	struct err e = { 0 };
	struct stat st;
	size_t len = 0;

	fd = given ? text_open(given, &st, &e) : search_open(s, in_image, &st, &dir, &e);
	if (fd == -ENOENT && !given)
		return;
	t->file = dir ? xasprintf("%s/%s", dir, in_image) : xstrdup(given ? given : in_image);
	if (fd < 0 || text_read(fd, &st, ACCOUNTS_FILE_MAX, &t->text, &len, &e) < 0)
		report_error(r, (struct place){ .file = t->file }, "%s", e.msg);
	else
		parse_table(t, r);
}

void accounts_load(struct accounts *a, const struct search *s, const char *passwd,
		   const char *group, struct report *r)
{
	load_table(&a->users, s, passwd, "etc/passwd", r);
	load_table(&a->groups, s, group, "etc/group", r);
}

static bool find_id(const struct account_table *t, const char *name, unsigned int *ret_id)
{
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->list[i].name, name) == 0) {
			*ret_id = t->list[i].id;
			return true;
		}
	}
	if (!t->file && strcmp(name, "root") == 0) {
		*ret_id = 0;
		return true;
	}
	return parse_id(name, ret_id);
}

/* WHAT is "user" or "group". A name that is not known is reported where it first occurs. */
static unsigned int resolve(struct account_table *t, const struct entry *en, const char *what,
			    const char *name, struct report *r)
{
	unsigned int id = 0;

	if (find_id(t, name, &id))
		return id;
	if (t->file)
		report_error(r, en->at, "%s '%s' of '%.*s' is not in '%s'", what, name,
			     ENTRY_PATH(en), t->file);
	else
		report_error(r, en->at, "%s '%s' of '%.*s' has no id: there is no '%s'", what,
			     name, ENTRY_PATH(en), *what == 'u' ? "etc/passwd" : "etc/group");
	add_account(t, (struct account){ .name = name });
	return id;
}

void accounts_resolve(struct accounts *a, struct manifest *m, struct report *r)
{
	for (size_t i = 0; i < m->sorted_count; i++) {
		struct entry *en = m->sorted[i];

		if (en->target)
			continue;
		en->uid = resolve(&a->users, en, "user", en->user, r);
		en->gid = resolve(&a->groups, en, "group", en->group, r);
	}
}
