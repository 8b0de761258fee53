#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The recorded decisions about payloads of update; see judge/judge.h.
exec "$BIN/../judge/judge_payload" update "$1"
