/* SPDX-License-Identifier: MIT */
/*
 * procfs.h - facts about one process, and handles on it.
 *
 * A pid alone names nobody: it is given to another process after its owner's
 * end. What is kept longer than a moment is the pair of pid and start time, or
 * a pidfd.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Clock ticks from the host's boot to the process's start. -ESRCH: there is no such process. */
ATTR_MUST_CHECK int procfs_start_time(pid_t pid, uint64_t *ret_ticks, struct err *e);

/* -ESRCH: there is no such process. */
ATTR_MUST_CHECK int procfs_parent(pid_t pid, pid_t *ret_parent, struct err *e);

/* Does PID live (a zombie does not), and is it the process that started at TICKS? */
bool procfs_is_alive(pid_t pid, uint64_t ticks);

/* Is PID the first process of a pid namespace one level below the caller's? */
bool procfs_is_namespace_init(pid_t pid);

/* Would SIGNO do something to PID: does it catch it, or hold it back to fetch it? */
bool procfs_awaits_signal(pid_t pid, int signo);

/* The program's name as the process tells it: at most 15 bytes, not to be trusted. "" if
 * unknown. */
void procfs_name(pid_t pid, char ret[static 16]);

/* A descriptor that is readable once PID has ended. -ESRCH: there is no such process. */
ATTR_MUST_CHECK int pidfd_open_process(pid_t pid, struct err *e);

/* A process that has ended is success. */
ATTR_MUST_CHECK int pidfd_signal(int pidfd, int signo, struct err *e);

/* Has it ended, within TIMEOUT_MS at most? */
bool pidfd_wait_end(int pidfd, int timeout_ms);
