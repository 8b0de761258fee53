#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
json(1): arguments and standard input of each recorded case are given to the program,
and its two outputs and its status are compared. See run for the contract of a group.
"""
import json
import os
import re
import subprocess
import sys

CASES = os.path.join(sys.argv[1], "json", "cases.jsonl")
PROGRAM = os.path.join(os.environ["BIN"], "json")

# What the original's 2012 line does not know, and ours does.
NEWER = "IMnu024"
RUNTIME = re.compile(r"\b(\w*Error \[|SyntaxError|TypeError|ReferenceError|Unexpected (token|number|end)|in JSON at|Cannot read properties)")
DIGITS = re.compile(r"(?<![\w.])\d{16,21}(?![\w.])")


def rule(case, status, out, err):
    """The rule of docs/differences.md that explains why this is not what CASE has, or None."""
    theirs = case.get("stderr")
    crashed = theirs is None or "node:" in theirs
    if crashed and case["rc"] != 0 and status == 0 and any(a.startswith("-") and a[-1:] in "ec" for a in case["args"]):
        return "json-code-on-values"
    if case["args"][-1:] in (["-e"], ["-c"]) and status == 1 and err.startswith("json: error: option '-"):
        return "json-missing-code"
    if "--" in case["args"] and any(len(a) > 1 and a[0] == "-" and not a[1:].isdigit()
                                    for a in case["args"][case["args"].index("--") + 1:]):
        return "json-dash-dash"
    as_doubles = DIGITS.sub(lambda m: "%d" % float(m[0]), out)
    if as_doubles != out and (status, as_doubles, err) == (case["rc"], case["stdout"], theirs):
        return "json-digits"
    if theirs and re.fullmatch(rf"json: error: unknown option '(-[{NEWER}]|--items|--in-place)'\n", theirs):
        return "json-newer-options"
    # A message of the JavaScript runtime: ours has to be one as well, all else the same.
    if (crashed or RUNTIME.search(theirs)) and (status, out) == (case["rc"], case["stdout"]) \
            and err.startswith("json: error: "):
        return "json-runtime-text"
    if case["args"][:1] in (["-h"], ["--help"]) and status == 0 and out.startswith("usage: json"):
        return "json-help"
    return None


def main():
    if not os.path.exists(CASES):
        sys.exit(77)
    with open(CASES, encoding="utf-8") as f:
        cases = [json.loads(line) for line in f]
    for number, case in enumerate(cases, 1):
        name = f"{number}:{' '.join(case['args'])}".replace("\n", "\\n")
        p = subprocess.run([PROGRAM, *case["args"]], input=case["stdin"].encode("utf-8", "surrogatepass"),
                           capture_output=True, timeout=20, check=False, cwd=os.environ["WORK"])
        got = (p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace"))
        if got == (case["rc"], case["stdout"], case.get("stderr")):
            print("agree", name)
            continue
        why = rule(case, *got)
        if why:
            print("listed", why, name)
        else:
            print(f"differ {name}: {case['stdin']!r}: {got!r}, not "
                  f"{(case['rc'], case['stdout'], case.get('stderr'))!r}")


main()
