#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Manifests and what the original's validators say of them: field and code, in order.

`imgadm validate --mode MODE -j` must say the same. Where the original crashes, the case only asks
that ours answers: it is listed, by the rule that says how.
"""
import json
import os
import subprocess
import sys

source = os.path.join(sys.argv[1], "imgadm/manifest/validation-cases.jsonl")
if not os.path.exists(source):
    sys.exit(77)
tool = os.path.join(os.environ["BIN"], "imgadm")
work = os.path.join(os.environ["WORK"], "manifest.json")
ARRAYS = {"files", "acl", "users", "billing_tags", "channels", "inherited_directories"}


def rule_of(manifest, want, got):
    """The documented difference that explains it, by what the manifest holds."""
    files = manifest.get("files")
    zstd = isinstance(files, list) and any(isinstance(f, dict) and f.get("compression") == "zstd" for f in files)
    if zstd and [e for e in want if e["field"] != "files"] == got:
        return "image-zstd"
    sha256 = isinstance(files, list) and any(isinstance(f, dict) and "sha1" not in f and
                                             ("sha256" in f or "digest" in f) for f in files)
    if sha256 and [e for e in want if e["field"] != "files"] == got:
        return "image-sha256"
    # An array for a number or a text, or requirements that are no object: ours names that field.
    odd = {k for k, v in manifest.items() if isinstance(v, list) and k not in ARRAYS}
    words = manifest.get("requirements")
    if isinstance(words, (str, list)):
        odd.add("requirements")
        want = [e for e in want if not e["field"].isdigit()]
    elif isinstance(words, dict):
        odd.update("requirements." + k for k, v in words.items() if isinstance(v, list) and k != "networks")
    if odd and [e for e in want if e["field"] not in odd] == [e for e in got if e["field"] not in odd]:
        return "image-no-crash"
    return None


for number, line in enumerate(open(source, encoding="utf-8"), 1):
    case = json.loads(line)
    name = "%d-%s" % (number, case["name"])
    with open(work, "w", encoding="utf-8") as f:
        json.dump(case["manifest"], f)
    r = subprocess.run([tool, "validate", "-j", "--mode", case["mode"], work], capture_output=True, text=True)
    try:
        got = [{"field": e["field"], "code": e["code"]} for e in json.loads(r.stdout)]
    except ValueError:
        print("differ %s: no answer: %s" % (name, r.stderr.strip()))
        continue
    want = case["errors"]
    if want is None:
        print("listed image-no-crash %s" % name)
    elif [{"field": e["field"], "code": e["code"]} for e in want] == got and r.returncode == (1 if got else 0):
        print("agree %s" % name)
    else:
        rule = rule_of(case["manifest"], want, got)
        if rule:
            print("listed %s %s" % (rule, name))
        else:
            print("differ %s: want %s, got %s" % (name, want, got))
