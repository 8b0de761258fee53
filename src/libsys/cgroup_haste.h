/* SPDX-License-Identifier: MIT */
/*
 * cgroup_haste.h - have the kernel ready to move processes between groups.
 *
 * Before a process changes its group, the kernel waits until every processor has
 * been through a pause: about 10 ms, and as long again for the next one unless it
 * follows at once. A start moves liblxc's monitor and the machine's first process,
 * so it would stand still twice. Who is about to start a machine and has other work
 * to do first begins the wait here, beside that work: a thread writes the caller's
 * own group to itself again and again, which moves nothing and keeps the kernel
 * ready, for at most HASTE_MS.
 */
#pragma once

struct cgroup_haste;

/* NULL where that cannot be: the start takes its time then. */
struct cgroup_haste *cgroup_haste_begin(void);

/* Also of NULL. The thread has ended when it returns. */
void cgroup_haste_end(struct cgroup_haste *h);
void cgroup_haste_end_p(struct cgroup_haste **h);

#define cleanup_cgroup_haste __attribute__((cleanup(cgroup_haste_end_p)))
