/* SPDX-License-Identifier: MIT */
/*
 * limits.c - limits of a machine, by the files of its cgroup (version 2).
 *
 * Whether a limit can be in force is not guessed: its file is there in the
 * supervisor's group, which has the same parent, or it is not.
 */
#include "librun/lxc/lxc.h"

#include "libsys/cgroup.h"

#include <inttypes.h>
#include <lxc/lxccontainer.h>
#include <stdio.h>
#include <sys/resource.h>

#define PERIOD_US 100000U

struct limiter {
	struct lxc_setter *s;
	const struct run_spec *spec;
	run_warn *warn;
	void *data;
	char group[LXC_GROUP_MAX];
};

/* Does FILE exist? Tells about PROPERTY when not. */
static bool can_limit(const struct limiter *l, const char *property, const char *file)
{
	char why[160];

	if (cgroup_has_file(l->group, file))
		return true;
	(void)snprintf(why, sizeof(why), "not in force: this host %s '%s'",
		       cgroup_is_unified() ? "has no cgroup file"
					   : "uses cgroups of version 1, which have no",
		       file);
	l->warn(l->data, property, why);
	return false;
}

static void limit_memory(const struct limiter *l)
{
	const struct run_spec *spec = l->spec;

	if (!spec->memory_bytes)
		return;
	if (can_limit(l, "max_physical_memory", "memory.max"))
		lxc_set(l->s, "lxc.cgroup2.memory.max", "%" PRIu64, spec->memory_bytes);
	/* Without this a machine could have all of the host's swap. */
	if (can_limit(l, "max_swap", "memory.swap.max"))
		lxc_set(l->s, "lxc.cgroup2.memory.swap.max", "%" PRIu64, spec->swap_bytes);
}

static uint32_t clamp(uint32_t n, uint32_t low, uint32_t high)
{
	return n < low ? low : n > high ? high : n;
}

static void limit_cpu(const struct limiter *l)
{
	const struct run_spec *spec = l->spec;

	/* Per cent of one CPU: 150 is one and a half. */
	if (spec->cpu_cap && can_limit(l, "cpu_cap", "cpu.max"))
		lxc_set(l->s, "lxc.cgroup2.cpu.max", "%" PRIu64 " %u",
			(uint64_t)spec->cpu_cap * (PERIOD_US / 100), PERIOD_US);
	if (spec->cpu_shares && can_limit(l, "cpu_shares", "cpu.weight"))
		lxc_set(l->s, "lxc.cgroup2.cpu.weight", "%u",
			clamp(spec->cpu_shares, 1, 10000));
}

static void limit_io(const struct limiter *l)
{
	uint32_t weight = clamp(l->spec->io_weight, 1, 1000);

	if (!l->spec->io_weight)
		return;
	/* The usual weight is what a group has anyhow. */
	if (weight == 100 && !cgroup_has_file(l->group, "io.weight"))
		return;
	if (can_limit(l, "zfs_io_priority", "io.weight"))
		lxc_set(l->s, "lxc.cgroup2.io.weight", "%u", weight);
}

/*
 * A limit of the machine's first process, inherited by all. More than the host
 * gives us, where it is itself confined, cannot be given on: liblxc would fail.
 */
static void limit_locked(const struct limiter *l)
{
	uint64_t bytes = l->spec->locked_bytes;
	struct rlimit own;

	if (!bytes || getrlimit(RLIMIT_MEMLOCK, &own) < 0)
		return;
	if (own.rlim_max < bytes) {
		own.rlim_max = bytes;
		if (setrlimit(RLIMIT_MEMLOCK, &own) < 0) {
			l->warn(l->data, "max_locked_memory",
				"not in force: this host's own limit is lower");
			return;
		}
	}
	lxc_set(l->s, "lxc.prlimit.memlock", "%" PRIu64, bytes);
}

void lxc_limit(struct lxc_setter *s, const struct run_spec *spec, run_warn *warn, void *data)
{
	struct limiter l = { .s = s, .spec = spec, .warn = warn, .data = data };

	lxc_group(spec->uuid, ".zoneadmd", l.group);
	limit_memory(&l);
	limit_cpu(&l);
	limit_io(&l);
	if (spec->max_processes && can_limit(&l, "max_lwps", "pids.max"))
		lxc_set(s, "lxc.cgroup2.pids.max", "%u", spec->max_processes);
	limit_locked(&l);
}
