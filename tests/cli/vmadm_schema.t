#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The property table as JSON Schema, list and completion. Schema and validate have to
# say the same of each property: values of the wrong type and beyond the bounds are
# refused by both, right ones taken by both. Which ones is asked of the table.
set -u
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
[ -x "$bin/vmadm" ] || { echo "1..0 # SKIP '$bin/vmadm' is not built"; exit 0; }
# The system's, where Debian's package of it is.
python=python3
"$python" -c 'import jsonschema' 2>/dev/null || python=/usr/bin/python3
"$python" -c 'import jsonschema' 2>/dev/null ||
	{ echo "1..0 # SKIP 'python3-jsonschema' is not installed"; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$python" - "$bin/vmadm" "$dir/root" <<'P'
import json, os, subprocess, sys
from jsonschema import Draft202012Validator

vmadm, root = sys.argv[1:]
image = "01234567-89ab-4def-8123-456789abcdef"
path = os.path.join(root, "zones/images", image)
os.makedirs(os.path.join(path, "rootfs"))
os.makedirs(os.path.join(root, "etc/dais"))
with open(os.path.join(root, "etc/dais/nictags.json"), "w") as f:
    json.dump({"admin": {}}, f)
with open(os.path.join(path, "manifest.json"), "w") as f:
    json.dump({"v": 2, "uuid": image, "owner": image, "name": "test", "version": "1", "state": "active",
               "disabled": False, "public": True, "type": "lx-dataset", "os": "linux",
               "published_at": "2026-01-01T00:00:00Z", "files": []}, f)
count = bad = 0

def ok(name, good, note=""):
    global count, bad
    count += 1
    bad += not good
    print(("ok" if good else "not ok"), count, "-", name)
    if not good and note:
        print("#", note)

def run(*words, stdin=None):
    p = subprocess.run([vmadm, *words], input=stdin, capture_output=True, text=True)
    return p.returncode, p.stdout, p.stderr

brands = ["lx", "joyent", "joyent-minimal", "builder", "kvm", "bhyve"]
schemas = {}
for brand in brands:
    for action in ("create", "update", "receive"):
        status, out, _ = run("schema", action, brand)
        schemas[action, brand] = json.loads(out)
        Draft202012Validator.check_schema(schemas[action, brand])
ok("each brand and action has a schema", len(schemas) == 18)
ok("no brand is lx", run("schema", "create")[1] == run("schema", "create", "lx")[1])
ok("no such action", run("schema", "destroy")[0] == 2)
ok("no such brand", run("schema", "create", "gorilla")[0] == 2)

props = {p["name"]: p for p in json.loads(run("properties", "-j")[1])}
ok("the list has every property of every schema", all(
    name in props for s in schemas.values() for name in s["properties"]))
ok("a brand's list is shorter", len(json.loads(run("properties", "-j", "lx")[1])) < len(props))

base = {"brand": "lx", "image_uuid": image}
schema = Draft202012Validator(schemas["create", "lx"])

def both(name, value):
    """What schema and validate say of NAME with VALUE: names of the two, True is taken."""
    payload = dict(base)
    if ".*." in name:
        array, member = name.split(".*.")
        item = {"nic_tag": "admin", "ips": ["dhcp"]} if array == "nics" else {
            "source": "/a", "target": "/b", "type": "lofs"}
        item[member] = value
        payload[array] = [item]
    else:
        payload[name] = value
    status, _, err = run("validate", "create", "--root", root, stdin=json.dumps(payload))
    return schema.is_valid(payload), status == 0, err

def wrong_values(p):
    kind, bounds = p["type"], (p["bounds"] or "").split()
    if kind == "boolean":
        return ["maybe", 7, [], {}]
    if kind == "integer":
        beyond = [int(bounds[0]) - 1] if bounds else []
        beyond += [int(bounds[2]) + 1] if len(bounds) == 3 and bounds[1] == "to" else []
        return ["much", "1.5", True, [], {}] + beyond
    if kind == "list":
        return [{}, 7, [[]], [None]]
    if kind == "object":
        return [[], "a", {"a": None}, {"a": []}, {"a": {}}]
    if kind == "array of objects":
        return [{}, "a", [7], ["a"]]
    if kind == "uuid":
        return ["a", 7, [], image.upper()]
    return [7, True, [], {}]

taken = refused = 0
differ = []
for name, p in props.items():
    if not p["payloads"] or "create" not in p["payloads"] or name == "brand" or name.endswith("brand"):
        continue
    if name not in schemas["create", "lx"]["properties"] and ".*." not in name:
        continue
    if ".*." in name and (name.split(".*.")[0] not in ("nics", "filesystems") or
                          name.split(".*.")[1] not in schemas["create", "lx"]["properties"][
                              name.split(".*.")[0]]["anyOf"][0]["items"]["properties"]):
        continue
    for value in wrong_values(p):
        by_schema, by_validate, err = both(name, value)
        refused += 1
        if by_schema or by_validate:
            differ.append(f"{name}={json.dumps(value)}: schema {by_schema}, validate {by_validate}")
ok(f"{refused} values of wrong types are refused by schema and validate alike", refused > 250 and not differ,
   "; ".join(differ[:20]))

differ = []
right = {
    "alias": "a", "autoboot": "true", "billing_id": "x", "cpu_cap": "150", "cpu_shares": 10, "dns_domain": "a.example",
    "hostname": "h-1", "init_name": "/bin/sh", "limit_priv": "default,-proc_exec", "max_lwps": 10, "max_swap": 512,
    "quota": "", "resolvers": "192.0.2.1,2001:db8::1", "tags": {"a": 1, "b": True, "c": "x"}, "tmpfs": 0, "ram": 128,
    "nics": [{"nic_tag": "admin", "ips": ["192.0.2.2/24"], "mac": "02:00:00:00:00:01", "vlan_id": 4, "primary": True}],
    "filesystems": [{"source": "/opt", "target": "/mnt", "type": "lofs", "options": ["ro"]}],
    "internal_metadata_namespaces": ["a"], "nics.*.allowed_dhcp_cids": ["0x00ff"], "kernel_version": None,
    "nics.*.mtu": 1500, "fs_allowed": ["ext4"], "zpool": "zones", "uuid": image, "restart_init": 1,
}
for name, value in right.items():
    by_schema, by_validate, err = both(name, value)
    if not by_schema or not by_validate:
        differ.append(f"{name}={json.dumps(value)}: schema {by_schema}, validate {by_validate} {err[:200]}")
ok("right values are taken by both", not differ, "; ".join(differ))
for name in ("nonsense", "nics.*.nonsense", "vcpus"):
    by_schema, by_validate, _ = both(name, "1")
    ok(f"{name}: a name that the brand does not have", not by_schema and not by_validate)
ok("what is required", not schema.is_valid({"brand": "lx"}) and schema.is_valid(base))

columns = run("--complete", "columns")[1].split()
ok("each column that is offered is one", run("list", "--root", root, "-o", ",".join(columns))[0] == 0
   and columns == [n for n, p in props.items() if p["column"]])
filters = run("--complete", "filters")[1].split()
ok("each filter that is offered is one", len(filters) > 40 and all(
    run("lookup", "--root", root, f + ("k=x" if f.endswith(".") else "x"))[0] == 0 for f in filters))
print(f"1..{count}")
sys.exit(bad > 0)
P
