"""The module graph: arrows point down only, and every import is declared.

Usage: graph.py LAYERS < (swift package dump-package). One line a finding; exit code 1 if there are any.
"""

import json
import pathlib
import re
import sys

OPEN_TO_ALL = {
    "Swift", "Foundation", "FoundationEssentials", "Dispatch", "Synchronization", "Testing",
}
# Which module hands on the C library; the others import that one.
C_LIBRARY = {"Platform": {"Glibc"}}
IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public\s+|package\s+|internal\s+|private\s+|fileprivate\s+)?import\s+"
    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias|actor)\s+)?(\w+)", re.MULTILINE)


def read_layers(path):
    """`{module: height}`, the arrows `{(from, to)}` inside a layer, and `{product: modules}` for outside packages."""
    heights, arrows, outside = {}, set(), {}
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    for number, line in enumerate(lines):
        name, rest = re.split(r"\s{2,}", line, maxsplit=1)
        if name == "outside":
            product, users = rest.split(":")
            outside[product] = set(users.split())
            continue
        for group in re.split(r"\s{2,}", rest):
            module, *targets = group.replace("->", " ").split()
            heights[module] = len(lines) - number
            arrows |= {(module, target) for target in targets}
    return heights, arrows, outside


def dependencies_of(target):
    return {next(iter(entry.values()))[0] for entry in target["dependencies"]}


def check_arrows(target, layers):
    heights, arrows, outside = layers
    name = target["name"]
    if name not in heights:
        yield f"Package.swift: module {name} has no place in scripts/layers"
        return
    for other in sorted(dependencies_of(target)):
        if other in outside:
            if name not in outside[other]:
                yield f"Package.swift: only {', '.join(sorted(outside[other]))} may use {other}, not {name}"
        elif other not in heights:
            yield f"Package.swift: {name} depends on {other}, which has no place in scripts/layers"
        elif heights[other] >= heights[name] and (name, other) not in arrows:
            yield f"Package.swift: {name} -> {other} does not point down (scripts/layers)"


def check_imports(target, folder, absent, modules):
    """`modules`: the targets of this package; a product of another may have modules of any name, so it is not asked for."""
    declared = dependencies_of(target) | OPEN_TO_ALL | C_LIBRARY.get(target["name"], set()) | absent
    files = sorted(folder.rglob("*.swift"))
    # A target in C includes headers, which are not looked at.
    unused = dependencies_of(target) & modules if files else set()
    if not files and target["type"] != "system" and not list(folder.rglob("*.c")):
        yield f"{folder}: target {target['name']} has no source files"
    for file in files:
        text = file.read_text()
        for match in IMPORT.finditer(text):
            unused.discard(match[1])
            if match[1] not in declared:
                line = text.count("\n", 0, match.start(1)) + 1
                yield f"{file}:{line}: import of {match[1]}, which Package.swift does not declare for {target['name']}"
    for module in sorted(unused):
        yield f"Package.swift: {target['name']} depends on {module}, which none of its files imports"


def main():
    package = json.load(sys.stdin)
    layers = read_layers(pathlib.Path(sys.argv[1]))
    # Modules of optional libraries that Package.swift leaves out here; their imports stand behind conditions.
    absent = layers[0].keys() - {target["name"] for target in package["targets"]}
    modules = {target["name"] for target in package["targets"]}
    findings = []
    for target in package["targets"]:
        if target["type"] == "plugin":  # part of the build, which no module can import
            continue
        is_test = target["type"] == "test"
        folder = pathlib.Path(target.get("path") or f"{'Tests' if is_test else 'Sources'}/{target['name']}")
        # What tests share lies beside them; no module can depend on it, because it has no place in LAYERS.
        if folder.parts[0] != "Tests":
            findings += check_arrows(target, layers)
        findings += check_imports(target, folder, absent, modules)
    print("\n".join(findings), end="\n" if findings else "")
    sys.exit(1 if findings else 0)


main()
