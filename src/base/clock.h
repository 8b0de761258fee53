/* SPDX-License-Identifier: MIT */
/*
 * clock.h - moments and pauses in milliseconds, by a clock that nobody sets.
 */
#pragma once

#include <stdint.h>

int64_t clock_now_ms(void);      /* CLOCK_MONOTONIC */
void clock_sleep_ms(int64_t ms); /* all of it, signals notwithstanding */

/*
 * Deadlines: a moment to be done by, or -1 for "never". clock_left_ms() is what
 * poll(2) takes: -1, or what is left and never less than 0.
 */
int64_t clock_deadline(int timeout_ms);
int clock_left_ms(int64_t deadline);
