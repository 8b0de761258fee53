/* SPDX-License-Identifier: MIT */
/*
 * proc.h - run a program, never a shell.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

/*
 * Run ARGV (looked up in PATH), with /dev/null as standard input, wait for it,
 * and keep at most 64 KiB of what it writes to standard output (OUT) and error.
 * OUT may be NULL. A status other than 0 is -EIO with the last line the program
 * wrote to standard error; a program that is not there is -ENOENT. Not for a process
 * that ignores SIGCHLD, which no program of ours does from its start (cli_main()).
 */
ATTR_MUST_CHECK int proc_run(const char *const argv[], struct buf *out, struct err *e);

/*
 * Start a process that outlives the caller: own session, /dev/null on 0 and 1,
 * LOG_FD on 2, every other descriptor closed except KEEP_FD (-1: none), which
 * the program finds as number 3. Returns once the exec has happened.
 */
ATTR_MUST_CHECK int proc_spawn_daemon(const char *const argv[], int log_fd, int keep_fd,
				      pid_t *ret_pid, struct err *e);
