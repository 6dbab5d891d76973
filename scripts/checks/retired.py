"""Words that the project no longer uses, in identifiers, keys, docs and messages.

Usage: retired.py LIST FILE… One line a finding; exit code 1 if there are any. LIST has one rule a line, columns divided by
tabs: `word` (a part of an identifier, or a word of a text, with or without a plural s) or `text` (a regular expression);
what is looked for; what to write instead; and, optionally, a regular expression of the paths where it is legal.
"""

import re
import sys

# Written by earlier versions, about them, or data whose names stay.
HISTORY = re.compile(
    r"^Tests/Fixtures/|/Golden/|RetiredKeys|^scripts/checks/retired|^CHANGELOG\.md$|^docs/glossary\.md$|^LICENSE$"
    r"|^scripts/golden/|^Benchmarks/peers/|^Tests/system/(old-run|bad-input)\.sh$|\.(svg|json|h5|safetensors)$"
)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def rules(path):
    """(words, expressions): {word: (instead, where legal)} and a list of (expression, instead, where legal)."""
    words, expressions = {}, []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.strip() or line.startswith("#"):
                continue
            kind, wanted, instead, *legal = line.rstrip("\n").split("\t")
            legal = re.compile(legal[0]) if legal else None
            if kind == "word":
                words[wanted] = words[wanted + "s"] = (instead, legal)
            else:
                expressions.append((re.compile(wanted), instead, legal))
    return words, expressions


def retired(line, path, words, expressions):
    """Yields (what was found, what to write instead) for one line."""
    for name in NAME.findall(line):
        for part in PART.findall(name):
            instead, legal = words.get(part.lower(), (None, None))
            if instead and not (legal and legal.search(path)):
                yield name, instead
    for expression, instead, legal in expressions:
        found = expression.search(line)
        if found and not (legal and legal.search(path)):
            yield found[0], instead


def check(path, words, expressions):
    if HISTORY.search(path):
        return
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        for found, instead in retired(line, path, words, expressions):
            yield f"{path}:{number}: `{found}` is retired: {instead}"


def main():
    words, expressions = rules(sys.argv[1])
    findings = [finding for path in sys.argv[2:] for finding in check(path, words, expressions)]
    print("\n".join(findings), end="\n" if findings else "")
    sys.exit(1 if findings else 0)


main()
