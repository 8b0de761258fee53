/* SPDX-License-Identifier: MIT */
/*
 * cgroup.h - control groups of ours, by a path relative to the hierarchy's top.
 *
 * On a platform there is one hierarchy (version 2) at /sys/fs/cgroup. On hosts
 * with the hybrid layout it is at /sys/fs/cgroup/unified, without controllers,
 * and each folder beside it is a hierarchy of version 1 in which others make a
 * group of the same path. Processes are counted and killed through version 2
 * in both.
 *
 * Needs root. Every call names a group as "dais/UUID".
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* A descriptor of the top of the version 2 hierarchy. -ENOTSUP: this host has none. */
ATTR_MUST_CHECK int cgroup_open_top(struct err *e);

/* Is that hierarchy the only one, so that its controllers can limit something? */
bool cgroup_is_unified(void);

/*
 * Make PARENT and PARENT/NAME in the version 2 hierarchy, with the controllers
 * that limits need turned on for the children of PARENT where there are any.
 * A group that exists is success.
 */
ATTR_MUST_CHECK int cgroup_make(const char *parent, const char *name, struct err *e);

/* Has the group GROUP this file ("memory.max"): can it be limited? */
bool cgroup_has_file(const char *group, const char *file);

/* Write TEXT to FILE of GROUP. -ENOENT: there is no such group, or no such file in it. */
ATTR_MUST_CHECK int cgroup_write(const char *group, const char *file, const char *text,
				 struct err *e);

/* Move the calling process there, "" is the top; and to the top of hierarchies of version 1. */
ATTR_MUST_CHECK int cgroup_enter(const char *group, struct err *e);

/* The first process below GROUP that IS_IT likes; 0 for none. */
pid_t cgroup_find(const char *group, bool (*is_it)(pid_t pid));

/* EACH is called with all processes below GROUP, as they are at that moment. */
void cgroup_each(const char *group, void (*each)(pid_t pid, void *data), void *data);

/* Kill everything below GROUP and wait at most TIMEOUT_MS for the end. -ETIMEDOUT after it. */
ATTR_MUST_CHECK int cgroup_kill(const char *group, int timeout_ms, struct err *e);

/*
 * Remove GROUP and all below it, in every hierarchy. -EBUSY with the group's
 * path when processes are left in it. Absent is success.
 */
ATTR_MUST_CHECK int cgroup_remove(const char *group, struct err *e);

/* Is there such a group, in whichever hierarchy? */
bool cgroup_is_there(const char *group);

/* Is no process below GROUP? As it is at that moment; a group that is not there is empty. */
bool cgroup_is_empty(const char *group);

/*
 * A group that is empty may go away between two steps of somebody who is making
 * one in it. Who makes a group below PARENT holds this lock from before the first
 * step until the group is there; cgroup_remove_parent() removes PARENT only when
 * it is empty and nobody holds the lock. Closing the descriptor releases it.
 */
ATTR_MUST_CHECK int cgroup_hold_parent(struct err *e);
void cgroup_remove_parent(const char *parent);
