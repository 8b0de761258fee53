#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real sets of manifests, NAME/combined/, made into an image by our builder.

What the original's sorter made of a set, NAME/combined.manifest.gen, says what the image has to
hold: every entry is a case. The files are made up, each holding its own path, and so are the
accounts: all that the set names. A set that we refuse as it stands is manifest-merge's to judge.
See run for the contract.
"""
import glob
import os
import subprocess
import sys
import tarfile

sets = sorted(glob.glob(os.path.join(glob.escape(sys.argv[1]), "manifests/*/combined.manifest.gen")))
builder, work = os.path.join(os.environ["BIN"], "builder"), os.environ["WORK"]


def entry(line):
    """KIND, PATH, and MODE USER GROUP, or the target of a link."""
    words = line.split("#")[0].split()
    if words[0] in "df":
        return words[0], words[1].rstrip("/"), words[2:5]
    path, _, target = words[1].partition("=")
    return words[0], path, target


def accounts(name, words):
    """A table of accounts; gives the number of each."""
    numbers = {word: str(1000 + i) for i, word in enumerate(sorted(words))}
    with open(os.path.join(work, name), "w", encoding="ascii") as f:
        f.writelines(f"{word}:x:{number}:\n" for word, number in numbers.items())
    return numbers


def make_proto(wanted):
    proto = os.path.join(work, "proto")
    subprocess.run(["rm", "-rf", proto], check=True)
    os.mkdir(proto)
    for kind, path, _ in wanted:
        if kind == "f":
            os.makedirs(os.path.join(proto, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(proto, path), "w", encoding="ascii") as f:
                f.write(path)
    return proto


def fault(tar, member, want, users, groups, before):
    """What is wrong with a member of the archive, or nothing."""
    kind, path, more = want
    if member is None:
        return "not in the archive"
    if path.rpartition("/")[0] not in before:
        return "before its folder"
    if kind in "sh":
        right = member.issym() if kind == "s" else member.islnk() and more in before
        return "" if right and member.linkname == more else f"a link to {member.linkname!r}, or before that"
    if not (member.isdir() if kind == "d" else member.isreg()):
        return "another kind"
    have = f"{member.mode & 0o7777:04o} {member.uid}:{member.gid}"
    if have != f"{int(more[0], 8):04o} {users[more[1]]}:{groups[more[2]]}":
        return f"mode and owner are {have}"
    return "another content" if kind == "f" and tar.extractfile(member).read().decode() != path else ""


def judge(name, wanted, archive, users, groups):
    with tarfile.open(archive) as tar:
        members = {m.name.rstrip("/"): m for m in tar.getmembers()}
        order = {path: i for i, path in enumerate(members)}
        for want in wanted:
            kind, path, more = want
            at = order.get(path, 0)
            before = {""} | {p for p in (path.rpartition("/")[0], more if kind == "h" else "")
                             if order.get(p, at) < at}
            wrong = fault(tar, members.get(path), want, users, groups, before)
            print(f"differ {name}:{path}: {wrong}" if wrong else f"agree {name}:{path}")
        for path in sorted(set(members) - {w[1] for w in wanted}):
            print(f"differ {name}:{path}: only in ours")


def run_set(generated):
    folder = os.path.dirname(generated)
    name, merged = os.path.basename(folder), os.path.join(work, "merged.manifest")
    archive = os.path.join(work, "image.tar")
    with open(merged, "wb") as out:
        if subprocess.run([builder, "merge", "--lenient", *sorted(glob.glob(os.path.join(glob.escape(folder), "combined", "*")))],
                          stdout=out, stderr=subprocess.DEVNULL).returncode != 0:
            return False
    with open(generated, encoding="ascii") as f:
        wanted = list({e[1]: e for e in map(entry, f)}.values())
    users = accounts("passwd", {e[2][1] for e in wanted if e[0] in "df"})
    groups = accounts("group", {e[2][2] for e in wanted if e[0] in "df"})
    done = subprocess.run([builder, "archive", "-m", merged, "-s", make_proto(wanted), "-o", archive, "--passwd",
                           os.path.join(work, "passwd"), "--group", os.path.join(work, "group")],
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print(f"differ {name}: no archive: {done.stderr.splitlines()[0]}")
    else:
        judge(name, wanted, archive, users, groups)
    return True


sys.exit(0 if any([run_set(generated) for generated in sets]) else 77)
