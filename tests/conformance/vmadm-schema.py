#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The published schema of payloads, held against what the original's validate says:
payloads that it takes pass, and payloads that it refuses for what a property is by
itself fail. See run for the contract of a group.
"""
import json
import os
import re
import subprocess
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    sys.exit(77)
path = os.path.join(sys.argv[1], "vmadm-payloads", "oracle", "validate.json")
if not os.path.exists(path):
    sys.exit(77)
with open(path, encoding="utf-8") as f:
    cases = json.load(f)["cases"]
schemas = {}


def schema(action, brand):
    if (action, brand) not in schemas:
        p = subprocess.run([os.path.join(os.environ["BIN"], "vmadm"), "schema", action, brand],
                           capture_output=True, text=True, check=False)
        schemas[action, brand] = Draft202012Validator(json.loads(p.stdout)) if p.returncode == 0 else None
    return schemas[action, brand]


for case in cases:
    name = f"{case['action']} {case['brand']}: {case['name']}"
    validator = schema(case["action"], str(case["brand"]))
    errors = case.get("errors") or {}
    if validator is None:
        refuses = "bad_brand" in errors or case["action"] not in ("create", "update", "receive")
        print(f"agree {name}" if refuses and not case["valid"] else f"differ {name}: there is no schema")
        continue
    ours = sorted({"/".join(map(str, e.path)) or "/" for e in validator.iter_errors(case["payload"])})
    if case["valid"] == (not ours):
        print(f"agree {name}")
    elif case["valid"]:
        print(f"differ {name}: refused: {ours}")
    elif not all(re.search(r"[.][0-9]+[.]", word) for word in errors["bad_properties"] + errors["missing_properties"]):
        print(f"differ {name}: taken, the original refuses {json.dumps(errors)}")
    else:
        # Wrong because of another value, whose place the original then counts, or of this host.
        print(f"listed schema-alone {name}")
