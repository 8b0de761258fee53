/* SPDX-License-Identifier: MIT */
/*
 * console_tail.h - what a VM that did not come up has said last. Private to libvm.
 */
#pragma once

#include "libsys/host.h"

#include <time.h>

struct vm_report;

/*
 * Warnings "console: LINE", a few at most, when the VM has written anything to its
 * console since SINCE (seconds since 1970). Not of a terminal's taste any more.
 */
void console_tail(const struct host *h, const char *uuid, time_t since, struct vm_report *rep);
