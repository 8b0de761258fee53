/* SPDX-License-Identifier: MIT */
/*
 * limits.c - limits of a machine, by the files of its cgroup (version 2).
 *
 * One list of what each file is to hold serves the start, where liblxc writes it,
 * and a machine that runs, where we do. Whether a limit can be in force is not
 * guessed: its file is there in the supervisor's group, which has the same parent,
 * or it is not.
 */
#include "librun/lxc/lxc.h"

#include "libsys/cgroup.h"

#include <inttypes.h>
#include <lxc/lxccontainer.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

#define PERIOD_US 100000U

struct limit {
	const char *property;
	const char *file;
	char value[48];
	bool usual; /* what a group has anyhow: nobody misses it */
};

struct limits {
	struct limit list[8];
	size_t count;
};

struct teller {
	run_warn *warn;
	void *data;
};

static void add(struct limits *ls, const char *property, const char *file, bool usual,
		const char *fmt, ...) ATTR_PRINTF(5, 6);

static void add(struct limits *ls, const char *property, const char *file, bool usual,
		const char *fmt, ...)
{
	struct limit *l = &ls->list[ls->count++];
	va_list ap;

	*l = (struct limit){ .property = property, .file = file, .usual = usual };
	va_start(ap, fmt);
	(void)vsnprintf(l->value, sizeof(l->value), fmt, ap);
	va_end(ap);
}

static void add_bytes(struct limits *ls, const char *property, const char *file, bool bounded,
		      uint64_t bytes)
{
	if (bounded)
		add(ls, property, file, false, "%" PRIu64, bytes);
	else
		add(ls, property, file, true, "max");
}

static uint32_t clamp(uint32_t n, uint32_t low, uint32_t high)
{
	return n < low ? low : n > high ? high : n;
}

static uint32_t weight(uint32_t n)
{
	return n ? clamp(n, 1, 10000) : 100;
}

static void limits_of(const struct run_spec *spec, struct limits *ret)
{
	uint32_t cpu = weight(spec->cpu_shares), io = weight(spec->io_weight);

	ret->count = 0;
	add_bytes(ret, "max_physical_memory", "memory.max", spec->memory_bytes,
		  spec->memory_bytes);
	/* Without this a machine could have all of the host's swap. */
	add_bytes(ret, "max_swap", "memory.swap.max", spec->memory_bytes, spec->swap_bytes);
	/* Per cent of one CPU: 150 is one and a half. */
	if (spec->cpu_cap)
		add(ret, "cpu_cap", "cpu.max", false, "%" PRIu64 " %u",
		    (uint64_t)spec->cpu_cap * (PERIOD_US / 100), PERIOD_US);
	else
		add(ret, "cpu_cap", "cpu.max", true, "max %u", PERIOD_US);
	add(ret, "cpu_shares", "cpu.weight", spec->cpu_shares == 0, "%u", cpu);
	add(ret, "zfs_io_priority", "io.weight", io == 100, "default %u", io);
	add_bytes(ret, "max_lwps", "pids.max", spec->max_processes, spec->max_processes);
}

/* Is there the file of L in GROUP? Tells when it is missed. */
static bool can_limit(const char *group, const struct limit *l, const struct teller *t)
{
	char why[160];

	if (cgroup_has_file(group, l->file))
		return true;
	if (l->usual)
		return false;
	(void)snprintf(why, sizeof(why), "not in force: this host %s '%s'",
		       cgroup_is_unified() ? "has no cgroup file"
					   : "uses cgroups of version 1, which have no",
		       l->file);
	t->warn(t->data, l->property, why);
	return false;
}

/*
 * What a process may lock is a limit of the process, inherited by its children. More
 * than this host gives us, where it is itself confined, cannot be given on. 0: no
 * limit is set.
 */
static uint64_t locked(const struct run_spec *spec, const struct teller *t)
{
	struct rlimit own;

	if (!spec->locked_bytes || getrlimit(RLIMIT_MEMLOCK, &own) < 0)
		return 0;
	if (own.rlim_max >= spec->locked_bytes)
		return spec->locked_bytes;
	own.rlim_max = spec->locked_bytes;
	if (setrlimit(RLIMIT_MEMLOCK, &own) == 0)
		return spec->locked_bytes;
	t->warn(t->data, "max_locked_memory", "not in force: this host's own limit is lower");
	return 0;
}

void lxc_limit(struct lxc_setter *s, const struct run_spec *spec, run_warn *warn, void *data)
{
	struct teller t = { warn, data };
	struct limits ls;
	char group[LXC_GROUP_MAX], key[64];
	uint64_t bytes = locked(spec, &t);

	limits_of(spec, &ls);
	lxc_group(spec->uuid, ".zoneadmd", group);
	for (size_t i = 0; i < ls.count; i++) {
		const struct limit *l = &ls.list[i];

		if (!can_limit(group, l, &t) || l->usual)
			continue;
		(void)snprintf(key, sizeof(key), "lxc.cgroup2.%s", l->file);
		lxc_set(s, key, "%s", l->value);
	}
	if (bytes)
		lxc_set(s, "lxc.prlimit.memlock", "%" PRIu64, bytes);
}

struct locking {
	struct rlimit limit;
	unsigned int refused;
};

/*
 * A pid may be another's by the time that it is used: the moment between the look
 * at its group and the call is too short for the kernel to have come round to it.
 */
static void limit_process(pid_t pid, void *data)
{
	struct locking *l = data;

	if (prlimit(pid, RLIMIT_MEMLOCK, &l->limit, NULL) < 0 && errno != ESRCH)
		l->refused++;
}

/* Twice: a process that was made meanwhile has the limit that its parent had before. */
static void lock_live(const char *group, uint64_t bytes, const struct teller *t)
{
	struct locking l = { .limit = { .rlim_cur = bytes, .rlim_max = bytes } };

	for (int i = 0; i < 2; i++)
		cgroup_each(group, limit_process, &l);
	if (l.refused)
		t->warn(t->data, "max_locked_memory",
			"not in force for all processes before the next start: this host may "
			"not raise their limit");
}

int lxc_limit_live(const struct run_spec *spec, run_warn *warn, void *data, struct err *e)
{
	struct teller t = { warn, data };
	struct limits ls;
	char group[LXC_GROUP_MAX];
	uint64_t bytes = locked(spec, &t);

	limits_of(spec, &ls);
	lxc_group(spec->uuid, "", group);
	for (size_t i = 0; i < ls.count; i++) {
		const struct limit *l = &ls.list[i];
		int r;

		if (!can_limit(group, l, &t))
			continue;
		r = cgroup_write(group, l->file, l->value, e);
		if (r < 0)
			return err_wrap(e, r, "%s", l->property);
	}
	if (bytes)
		lock_live(group, bytes, &t);
	return 0;
}
