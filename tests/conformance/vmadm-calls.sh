#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The calls that the original's own tests made; see judge/calls.c.
exec "$BIN/../judge/judge_payload" calls "$1"
