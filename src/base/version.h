/* SPDX-License-Identifier: MIT */
/*
 * version.h - what --version says, of every program.
 */
#pragma once

#define DAIS_VERSION "0.1.0"
