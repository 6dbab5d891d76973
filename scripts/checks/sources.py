"""House rules that a reader of the text can see: lengths, words that must not stay, paths of one machine.

Usage: sources.py FILE… One line a finding; exit code 1 if there are any.
"""

import os
import re
import sys

from swift_text import functions, masked

MOST_LINES = 250
MOST_LINES_OF_A_FUNCTION = 40
MOST_UNLABELLED = 4
MOST_BYTES = 1_500_000
CODE = (".swift", ".h", ".c", ".py", ".sh", ".sbatch")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
LAWS = "Sources/Programs/Planning/Laws/"
LAW = re.compile(r"struct (\w+): ScalingLaw\b")
FORCED = re.compile(r"\btry!|\bas!")
DECLARATION = re.compile(r"\b(?:func [^\s(<]+|init\??)(?:<[^(]*>)?\(")
UNLABELLED = re.compile(r"\s*_ \w+:")
ONE_MACHINE = re.compile(r"(?<![\w./$}~-])/(?:tmp|home|root|work|Users)/[\w.-]")
PATH_FREE = ("Sources/", "docs/", "configs/", "cluster/", "README.md", "CHANGELOG.md")


def is_script(path, text):
    return path.endswith(CODE) or text.startswith("#!")


def check_lines(path, text):
    """Findings of single lines. The words are looked for in comments too, forced tries only in code."""
    for number, line in enumerate(text.splitlines(), 1):
        if is_script(path, text) and not path.startswith("scripts/checks/") and UNFINISHED.search(line):
            yield f"{path}:{number}: {UNFINISHED.search(line)[0]}: finish it, or write an issue"
        if path.startswith(PATH_FREE) and ONE_MACHINE.search(line):
            yield f"{path}:{number}: a path of one machine: {line.strip()[:80]}"


def parameters(code, start):
    """The parameters of the list that begins behind `start`, commas inside brackets apart."""
    depth, parts, part = 1, [], ""
    for character in code[start:]:
        depth += (character in "([{<") - (character in ")]}") - (character == ">" and not part.endswith("-"))
        if depth == 0:
            break
        if character == "," and depth == 1:
            parts, part = parts + [part], ""
        else:
            part += character
    return parts + [part]


def check_labels(path, code):
    """Runs of parameters without labels: a call with so many says nothing of what they are."""
    for found in DECLARATION.finditer(code):
        run = most = 0
        for parameter in parameters(code, found.end()):
            run = run + 1 if UNLABELLED.match(parameter) else 0
            most = max(most, run)
        if most > MOST_UNLABELLED:
            line = code.count("\n", 0, found.start()) + 1
            yield f"{path}:{line}: {most} parameters in a row have no label (at most {MOST_UNLABELLED})"


def check_swift(path, text):
    code = masked(text)
    for number, line in enumerate(code.splitlines(), 1):
        if FORCED.search(line):
            yield f"{path}:{number}: {FORCED.search(line)[0]} can end the job on one rank alone"
    yield from check_labels(path, code)
    for name, first, last in functions(code):
        if last - first + 1 > MOST_LINES_OF_A_FUNCTION:
            yield f"{path}:{first}: {name} has {last - first + 1} lines (at most {MOST_LINES_OF_A_FUNCTION})"


def check(path):
    size = os.path.getsize(path)
    if size > MOST_BYTES:
        yield f"{path}: {size:,} bytes in the repository (at most {MOST_BYTES:,})"
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError:
        return
    lines = text.count("\n")
    if is_script(path, text) and lines > MOST_LINES:
        yield f"{path}: {lines} lines (at most {MOST_LINES}): split at the concept"
    yield from check_lines(path, text)
    if path.endswith(".swift"):
        yield from check_swift(path, text)


def check_laws(paths):
    """Laws that code outside their folder names: what it needs to know of a law is in the law's metadata."""
    swift = [path for path in paths if path.startswith("Sources/") and path.endswith(".swift")]
    texts = {path: masked(open(path, encoding="utf-8").read()) for path in swift}
    laws = {name for path in texts if path.startswith(LAWS) for name in LAW.findall(texts[path])}
    named = re.compile(r"\b(" + "|".join(sorted(laws)) + r")\b")
    for path in texts:
        if not laws or path.startswith(LAWS):
            continue
        for number, line in enumerate(texts[path].splitlines(), 1):
            if named.search(line):
                yield f"{path}:{number}: {named.search(line)[0]}: ask its metadata, not the type"


def main():
    paths = [path for path in sys.argv[1:] if os.path.isfile(path)]
    findings = [finding for path in paths for finding in check(path)] + list(check_laws(paths))
    print("\n".join(findings), end="\n" if findings else "")
    sys.exit(1 if findings else 0)


main()
