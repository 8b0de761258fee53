#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Manifests of version 1 and what the original makes of them: `imgadm validate -u` prints the same object."""
import json
import os
import subprocess
import sys

source = os.path.join(sys.argv[1], "imgadm/manifest/upgrade-v1-cases.json")
if not os.path.exists(source):
    sys.exit(77)
tool = os.path.join(os.environ["BIN"], "imgadm")
work = os.path.join(os.environ["WORK"], "manifest.json")

for name, case in json.load(open(source, encoding="utf-8")).items():
    with open(work, "w", encoding="utf-8") as f:
        json.dump(case["input"], f)
    r = subprocess.run([tool, "validate", "-u", work], capture_output=True, text=True)
    if "error" in case:
        good = r.returncode == 1 and r.stdout == "" and case["error"] in r.stderr
        print("agree %s" % name if good else "differ %s: want '%s', got '%s'" % (name, case["error"], r.stderr.strip()))
        continue
    try:
        got = json.loads(r.stdout)
    except ValueError:
        got = r.stderr.strip()
    print("agree %s" % name if got == case["output"] else "differ %s: want %s, got %s" % (name, case["output"], got))
