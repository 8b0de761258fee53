/* SPDX-License-Identifier: MIT */
/*
 * log.h - what a program says while it works: one line to standard error, with
 * journald's level prefix ("<4>...") when standard error is the journal or
 * log_to_journal() asked for it, plain for people. Libraries only use debug.
 */
#pragma once

#include "base/macro.h"

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

/* IDENT starts each line ("vmadm: ..."); ID (may be NULL) is a VM's UUID put after it. Both are
 * kept, not copied. */
void log_setup(const char *ident, const char *id);
void log_to_journal(void); /* standard error leads to the journal, whatever it looks like */
void log_set_max(
	enum log_level level);      /* default: info; DAIS_DEBUG=1 in the environment: debug */
bool log_has(enum log_level level); /* is what is said at LEVEL printed? */
void log_msg(enum log_level level, const char *fmt, ...) ATTR_PRINTF(2, 3);

#define log_error(...)   log_msg(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_msg(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_msg(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_msg(LOG_LEVEL_DEBUG, __VA_ARGS__)
