# SPDX-License-Identifier: MIT
"""sbom_rules.py FOLDER - what SPDX 2.3 and CycloneDX 1.6 ask of the documents in FOLDER.

Prints each fault. With CYCLONEDX_SCHEMAS (a folder) and SPDX_SCHEMA (a file) the
published schemas are asked as well; with SBOM_ROOT (a tar archive) both documents must tell
of its files, of all and of no others, with their hashes.
"""
import collections
import hashlib
import json
import os
import re
import sys
import tarfile

faults = []


def need(condition, text):
    if not condition:
        faults.append(text)


def exact(where, thing, required, optional):
    need(required <= thing.keys(), f"{where}: lacks {sorted(required - thing.keys())}")
    extra = thing.keys() - required - optional
    need(not extra, f"{where}: has {sorted(extra)}, which the format does not know")


RELATIONS = {"DESCRIBES", "CONTAINS", "BUILD_DEPENDENCY_OF", "EXPANDED_FROM_ARCHIVE",
             "GENERATED_FROM"}
TERM = r"(?:LicenseRef-[A-Za-z0-9.-]+|[A-Za-z0-9.-]+)"


def expression(text):
    """The text with every operation taken for its result until one term is left."""
    text = re.sub(rf"({TERM}) WITH [A-Za-z0-9.-]+", r"\1", text)
    last = None
    while last != text:
        last = text
        text = re.sub(rf"\(({TERM}(?: AND {TERM})+|{TERM}(?: OR {TERM})+|{TERM})\)", "x", text)
    return re.fullmatch(rf"{TERM}(?: AND {TERM})*|{TERM}(?: OR {TERM})*", text)


def spdx(doc):
    exact("document", doc, {"spdxVersion", "dataLicense", "SPDXID", "name", "documentNamespace",
                            "creationInfo", "packages", "files", "relationships"},
          {"hasExtractedLicensingInfos"})
    need(doc["spdxVersion"] == "SPDX-2.3" and doc["dataLicense"] == "CC0-1.0", "version, licence")
    exact("creationInfo", doc["creationInfo"], {"created", "creators"}, set())
    need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", doc["creationInfo"]["created"]), "time")
    ids = collections.Counter(x["SPDXID"] for x in doc["packages"] + doc["files"])
    need(max(ids.values()) == 1, "an SPDXID is there twice")
    for i in ids:
        need(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i), f"{i}: not an SPDXID")
    known = set(ids) | {"SPDXRef-DOCUMENT"}
    texts = {x["licenseId"] for x in doc.get("hasExtractedLicensingInfos", [])}
    for p in doc["packages"]:
        exact(p["SPDXID"], p, {"SPDXID", "name", "downloadLocation", "filesAnalyzed"}, {
            "versionInfo", "licenseConcluded", "licenseDeclared", "copyrightText", "supplier",
            "checksums", "externalRefs", "sourceInfo", "comment", "packageVerificationCode"})
        need(p["filesAnalyzed"] == ("packageVerificationCode" in p), f"{p['SPDXID']}: code")
        declared = p.get("licenseDeclared", "NOASSERTION")
        need(expression(declared), f"{p['SPDXID']}: '{declared}' is no expression")
        for ref in re.findall(r"LicenseRef-[A-Za-z0-9.-]+", declared):
            need(ref in texts, f"{p['SPDXID']}: {ref} has no text")
    for f in doc["files"]:
        exact(f["SPDXID"], f, {"SPDXID", "fileName", "checksums"},
              {"licenseConcluded", "copyrightText"})
        sums = {c["algorithm"]: c["checksumValue"] for c in f["checksums"]}
        need(re.fullmatch("[0-9a-f]{40}", sums.get("SHA1", "")), f"{f['fileName']}: SHA-1")
        need(re.fullmatch("[0-9a-f]{64}", sums.get("SHA256", "")), f"{f['fileName']}: SHA-256")
    origins = collections.Counter()
    for r in doc["relationships"]:
        exact("relationship", r, {"spdxElementId", "relationshipType", "relatedSpdxElement"}, set())
        need(r["relationshipType"] in RELATIONS, f"relation {r['relationshipType']}")
        need(r["spdxElementId"] in known and r["relatedSpdxElement"] in known, f"dangling {r}")
        if r["relationshipType"] in ("EXPANDED_FROM_ARCHIVE", "GENERATED_FROM"):
            origins[r["spdxElementId"]] += 1
    for f in doc["files"]:
        need(origins[f["SPDXID"]] == 1, f"{f['fileName']}: not of exactly one component")


def walk(components, refs):
    for c in components:
        exact(c.get("name", "?"), c, {"type", "name", "bom-ref"}, {
            "version", "hashes", "licenses", "purl", "description", "properties", "scope",
            "components"})
        need(c["bom-ref"] not in refs, f"{c['bom-ref']}: there twice")
        refs.add(c["bom-ref"])
        walk(c.get("components", []), refs)


def cyclonedx(doc):
    exact("document", doc, {"bomFormat", "specVersion", "version", "serialNumber", "metadata",
                            "components", "dependencies"}, set())
    need(re.fullmatch(r"urn:uuid:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
                      doc["serialNumber"]), "serialNumber")
    refs = {doc["metadata"]["component"]["bom-ref"]}
    walk(doc["components"], refs)
    for d in doc["dependencies"]:
        for ref in [d["ref"], *d["dependsOn"]]:
            need(ref in refs, f"dangling {ref}")


def schema(doc, file, folder=None):
    import jsonschema
    with open(file, encoding="utf-8") as f:
        top = json.load(f)
    store = {}
    for name in os.listdir(folder) if folder else []:
        if name.endswith(".json"):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                part = json.load(f)
            store[part.get("$id", name)] = part
            store[top["$id"].rsplit("/", 1)[0] + "/" + name] = part
    resolver = jsonschema.RefResolver(top.get("$id", ""), top, store=store)
    for e in jsonschema.Draft7Validator(top, resolver=resolver).iter_errors(doc):
        need(False, f"schema: {list(e.absolute_path)}: {e.message[:200]}")


def files_of(archive):
    """Path to (SHA-1, SHA-256) of each regular file and hard link."""
    sums = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            path = member.name.removeprefix("./")
            if member.isreg():
                data = tar.extractfile(member).read()
                sums[path] = (hashlib.sha1(data).hexdigest(), hashlib.sha256(data).hexdigest())
            elif member.islnk():
                sums[path] = sums[member.linkname.removeprefix("./")]
    return sums


def told_by_cyclonedx(components):
    for c in components:
        if c["type"] == "file":
            sums = {h["alg"]: h["content"] for h in c["hashes"]}
            yield c["name"].removeprefix("/"), (sums["SHA-1"], sums["SHA-256"])
        yield from told_by_cyclonedx(c.get("components", []))


def told_by_spdx(files):
    for f in files:
        sums = {c["algorithm"]: c["checksumValue"] for c in f["checksums"]}
        yield f["fileName"].removeprefix("./"), (sums["SHA1"], sums["SHA256"])


def image(name, told, real):
    told = dict(told)
    for path in sorted(told.keys() | real.keys()):
        need(path in told, f"{name}: '{path}' is in the image, and not in the document")
        need(path in real, f"{name}: '{path}' is in the document, and not in the image")
        need(path not in told or path not in real or told[path] == real[path],
             f"{name}: '{path}' has other hashes in the image")


def main(folder):
    with open(f"{folder}/sbom.spdx.json", encoding="utf-8") as f:
        one = json.load(f)
    with open(f"{folder}/sbom.cdx.json", encoding="utf-8") as f:
        two = json.load(f)
    spdx(one)
    cyclonedx(two)
    if os.environ.get("SBOM_ROOT"):
        real = files_of(os.environ["SBOM_ROOT"])
        image("SPDX", told_by_spdx(one["files"]), real)
        image("CycloneDX", told_by_cyclonedx(two["components"]), real)
    if os.environ.get("SPDX_SCHEMA"):
        schema(one, os.environ["SPDX_SCHEMA"])
    if os.environ.get("CYCLONEDX_SCHEMAS"):
        where = os.environ["CYCLONEDX_SCHEMAS"]
        name = next(n for n in sorted(os.listdir(where)) if re.match(r"bom-1\.6\..*json$", n))
        schema(two, f"{where}/{name}", where)
    for fault in faults[:20]:
        print(fault)
    return 1 if faults else 0


sys.exit(main(sys.argv[1]))
