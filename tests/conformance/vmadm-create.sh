#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The recorded decisions about payloads of create; see judge/judge.h.
exec "$BIN/../judge/judge_payload" create "$1"
