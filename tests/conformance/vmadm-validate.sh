#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The recorded decisions about payloads of validate; see judge/judge.h.
exec "$BIN/../judge/judge_payload" validate "$1"
