#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The command line of vmadm: arguments and standard input of each recorded case are
given to the real program over a host folder that holds the recorded table of VMs
as records (and what its supervisors would have left), and the three outputs are
compared. See run for the contract of a group.
"""
import datetime
import json
import os
import re
import shutil
import subprocess
import sys

FIXTURES = os.path.join(sys.argv[1], "vmadm-payloads", "golden-cli")
BIN, WORK = os.environ["BIN"], os.environ["WORK"]
ROOT = os.path.join(WORK, "root")

# What a record does not hold: it is derived when somebody asks.
DERIVED = ("state zone_state pid boot_timestamp exit_status exit_timestamp zonepath zoneid zonedid "
           "hvm last_modified snapshots server_uuid init_restarts zfs_filesystem transition_to "
           "transition_expire").split()
# Members that our objects have beyond those that the table has.
MORE = ("v kernel_version platform_buildstamp server_uuid last_modified snapshots zonedid zfs_filesystem "
        "billing_id owner_uuid limit_priv firewall_enabled failed transition_to transition_expire").split()
TYPES = {"01b2c898-945f-11e1-a523-af1afbe22822": "zone-dataset",
         "71101322-43a5-11e1-8f01-cf2a3031a7f4": "zvol"}


def write(path, text):
    path = os.path.join(ROOT, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def start_time(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        return int(f.read().rsplit(")", 1)[1].split()[19])


class Host:
    """The table as a host folder; a process of ours stands for each VM's init."""

    def __init__(self, table):
        self.pids, self.processes = {}, []
        write("etc/dais/nictags.json", json.dumps({"external": {}, "admin": {}}))
        write("etc/version/platform", "conformance\n")
        for uuid, kind in TYPES.items():
            write(f"zones/images/{uuid}/manifest.json", json.dumps(
                {"v": 2, "uuid": uuid, "owner": uuid, "name": "conformance", "version": "1",
                 "state": "active", "disabled": False, "public": True, "type": kind, "os": "linux",
                 "published_at": "2026-01-01T00:00:00Z", "files": []}))
            os.makedirs(os.path.join(ROOT, f"zones/images/{uuid}/rootfs"), exist_ok=True)
        for vm in table:
            self.add(vm)
        self.keep()

    def add(self, vm):
        record = {k: v for k, v in vm.items() if k not in DERIVED}
        record.setdefault("v", 1)
        if vm["state"] == "failed":
            record["failed"] = "start"
        # No such state is stored with us: it is what the journal says is under way.
        if vm["state"] in ("provisioning", "receiving"):
            write(f"etc/zones/.journal/{vm['uuid']}.json", json.dumps(
                {"v": 1, "uuid": vm["uuid"], "op": {"provisioning": "create"}.get(vm["state"], "receive")}))
        if "zonedid" in vm:
            record["idmap_base"] = vm["zonedid"] << 16
        path = write(f"etc/zones/{vm['uuid']}.json", json.dumps(record))
        if "last_modified" in vm:
            moment = datetime.datetime.fromisoformat(vm["last_modified"].replace("Z", "+00:00"))
            os.utime(path, (moment.timestamp(), moment.timestamp()))
        if "server_uuid" in vm:
            write("sys/class/dmi/id/product_uuid", vm["server_uuid"] + "\n")
        if vm.get("zone_state") != "configured":
            os.makedirs(os.path.join(ROOT, f"zones/{vm['uuid']}/root"))
        state = {k: vm[k] for k in ("boot_timestamp", "exit_status", "exit_timestamp", "zoneid",
                                    "init_restarts") if k in vm}
        state["state"] = {"running": "running", "stopping": "stopping"}.get(vm["state"], "stopped")
        if "pid" in vm:
            p = subprocess.Popen(["sleep", "600"])
            self.processes.append(p)
            self.pids[str(vm["pid"])] = str(p.pid)
            began = start_time(p.pid)
            state.update(pid=p.pid, pid_start=began, supervisor=p.pid, supervisor_start=began)
        write(f"run/dais/{vm['uuid']}/state.json", json.dumps(state))

    def keep(self):
        os.rename(ROOT, ROOT + ".new")

    def end(self):
        for p in self.processes:
            p.kill()
            p.wait()

    def ours(self, text):
        """Recorded text with this host's process ids and folder in it, columns kept."""
        for theirs, ours in self.pids.items():
            pad = len(ours) - len(theirs)
            text = re.sub(rf"\b{theirs}\b {{{max(pad, 0)}}}", ours, text) if pad > 0 else \
                re.sub(rf"\b{theirs}\b", ours, text)
            text = re.sub(rf"\b{theirs}\b", ours, text)
        # Below a root folder the zones are below it as well.
        return re.sub(r"(?<![\w/])/zones/(?=[0-9a-f]{8}-)", ROOT + "/zones/", text)


def run(case):
    # A command may mend what it finds: each case has a host of its own.
    shutil.rmtree(ROOT, ignore_errors=True)
    shutil.copytree(ROOT + ".new", ROOT, symlinks=True)
    # -R goes last: options may follow operands, and the first word stays the command.
    where = ["-R", ROOT] if case["argv"] and case["argv"][0][0:1] != "-" and case["argv"][0] != "help" \
        else []
    stdin = case["stdin"]
    p = subprocess.run([os.path.join(BIN, "vmadm"), *case["argv"], *where], text=True,
                       input=stdin if stdin is not None else None,
                       stdin=subprocess.DEVNULL if stdin is None else None,
                       capture_output=True, timeout=60, check=False)
    return p.returncode, p.stdout, p.stderr


def same_object(theirs, ours):
    """Is every member of THEIRS in OURS, and what is more of our kinds?"""
    if theirs.get("state") == "stopping":
        # See vmadm-stopping: there it has a deadline, here it ends when it ends.
        theirs = {**theirs, "state": "shutting_down", "zone_state": "shutting_down"}
        theirs = {k: v for k, v in theirs.items() if not k.startswith("transition_")}
    if "zfs_filesystem" in theirs:
        # A VM's folder in the pool holds its root and its data beside each other.
        theirs = {**theirs, "zfs_filesystem": theirs["zfs_filesystem"] + "/root"}
    return all(ours.get(k) == v for k, v in theirs.items()) and \
        all(k in MORE for k in ours if k not in theirs)


def same_objects(theirs, ours):
    """The same of one object, or of an array of them."""
    theirs, ours = json.loads(theirs), json.loads(ours)
    theirs, ours = ([x] if isinstance(x, dict) else x for x in (theirs, ours))
    return len(theirs) == len(ours) and all(map(same_object, theirs, ours))


def sorted_by_shown(argv):
    """Is each column that is sorted by also printed? Else the original did not sort by it."""
    shown, by = "uuid,type,ram,state,alias", "ram,uuid"
    for i, word in enumerate(argv[:-1]):
        if word.startswith("-") and word.endswith("o"):
            shown = argv[i + 1]
        if word.startswith("-") and word.endswith("s"):
            by = argv[i + 1]
    return all(f.lstrip("+-") in shown.split(",") for f in by.split(","))


def rule(case, got):
    """The rule of docs/differences.md that explains why GOT is not what CASE has, or None."""
    argv, (status, out, err) = case["argv"], got
    first, _, rest = err.partition("\n")
    words = case["stderr"]
    usage = words.endswith("@USAGE@\n")
    if not words.replace("@USAGE@\n", "") and usage and argv[:1] and argv[0] in ("help", "-h", "-?", "--help"):
        return "vmadm-help" if (status, err) == (0, "") and out.startswith("usage: vmadm") else None
    if argv[:1] == ["delete"] and "-F" in argv and status != 2 and words.startswith("Invalid or missing UUID"):
        return "vmadm-delete-force"
    if usage:
        message = words[:-len("@USAGE@\n")]
        if status == case["rc"] and not out and err.startswith(message + "usage: vmadm"):
            return "vmadm-usage"
        return None
    if "stopping" in case["stdout"] and status == case["rc"]:
        # The columns as wide as the other word, the rows in the order that it has.
        as_ours = re.sub(r"\bstopping\b( {0,5})", "shutting_down", case["stdout"])
        if sorted(out.split("\n")) == sorted(re.sub(r" +$", "", as_ours, flags=re.M).split("\n")):
            return "vmadm-stopping"
    if argv[:1] == ["console"] and status == case["rc"] == 1 and \
            re.search(r'state is "(stopping|shutting_down|provisioning|failed)" must be', words):
        return "vmadm-console"
    if 'Cannot start vm from state "failed"' in words and not out:
        return "vmadm-failed-start"
    if argv[:1] == ["update"] and status == 1 and case["rc"] == 0 and first.startswith("'") and \
            any(re.match(r"[a-z_]+\.[^=]*=", word) for word in argv[2:]):
        return "vmadm-dotted"
    if 'state "provisioning"' in words and status == case["rc"] == 1 and not out:
        return "vmadm-mends"
    if argv[:1] in (["list"], ["lookup"]) and status == 0 == case["rc"]:
        if any(word == "type=BHYVE" for word in argv) and "BHYV" in out + "".join(argv):
            return "vmadm-bhyve"
        if argv[0] == "list" and sorted(out.split("\n")) == sorted(case["stdout"].split("\n")) and \
                not sorted_by_shown(argv[1:]):
            return "vmadm-sort"
    if argv[:1] in (["list"], ["lookup"]) and status == 0 and words.startswith("Invalid ") and \
            re.search(r'key: "[0-9a-fA-F-]{8,36}"', words):
        return "vmadm-operand"
    if status == 0 == case["rc"] and out[:1] in ("{", "[") and same_objects(case["stdout"], out):
        return "vmadm-more-members"
    if any(word != word.lower() and re.fullmatch(r"[0-9A-Fa-f-]{36}", word) for word in argv):
        return "vmadm-uuid-case"
    if status == case["rc"] == 1 and re.search(r"not found$|statusCode: 404$", words.rstrip("\n")) and \
            first.endswith("No such zone configured") and not rest:
        return "vmadm-not-found"
    if status == case["rc"] == 1 and not out and argv[:1] in (["create"], ["update"], ["validate"]) and \
            err.startswith(words) and all(re.match(r"  /|warning: ", line) for line in
                                          err[len(words):].splitlines()):
        return "vmadm-details"
    if status == case["rc"] == 1 and "snapshot" in argv[0] and first.startswith("no pool is mounted"):
        return "vmadm-no-pool"
    if status == case["rc"] == 1 and "Invalid JSON payload: " in words and "Invalid JSON payload: " in first:
        return "vmadm-json-text"
    return None


def main():
    if not os.path.exists(os.path.join(FIXTURES, "cases.json")) or os.geteuid() != 0:
        sys.exit(77)
    with open(os.path.join(FIXTURES, "vm-table.json"), encoding="utf-8") as f:
        host = Host(json.load(f))
    try:
        with open(os.path.join(FIXTURES, "cases.json"), encoding="utf-8") as f:
            cases = json.load(f)["cases"]
        for case in cases:
            name = " ".join(["vmadm", *case["argv"]])
            case["stdout"], case["stderr"] = host.ours(case["stdout"]), host.ours(case["stderr"])
            if case.get("match", "exact") not in ("exact", "prefix"):
                case["stderr"] = case["stderr"].split("\n")[0]
            try:
                got = run(case)
            except subprocess.TimeoutExpired:
                print(f"differ {name}: does not end")
                continue
            which = None if got == (case["rc"], case["stdout"], case["stderr"]) else rule(case, got)
            if got == (case["rc"], case["stdout"], case["stderr"]):
                print(f"agree {name}")
            elif which:
                print(f"listed {which} {name}")
            else:
                want = (case["rc"], case["stdout"][:300], case["stderr"][:300])
                print(f"differ {name}: got {(got[0], got[1][:300], got[2][:300])}, want {want}")
    finally:
        host.end()


main()
