/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - the one function of a fuzzer. libFuzzer calls it with bytes that it
 * makes up, replay.c with those of the corpus. It returns 0 and leaks nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
