"""Enough of Swift's grammar to find functions: comments and string literals are blanked, braces counted."""

import re

# Longest first: a raw string closes with as many #, a text of several lines with three quotes.
OPENING = re.compile(r'//|/\*|(#*)("""|")')
FUNCTION = re.compile(r"\b(func\s+[^\s(<]+|init[?!]?(?=\s*[(<])|deinit|subscript(?=\s*[(<]))")


def masked(text):
    """`text` with everything inside comments and literals replaced by blanks; line breaks stay."""
    pieces, place = [], 0
    while match := OPENING.search(text, place):
        end = closing(text, match)
        pieces += [text[place:match.start()], blank(text[match.start():end])]
        place = end
    return "".join(pieces) + text[place:]


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def closing(text, opening):
    """Where the comment or literal that begins at `opening` ends."""
    if opening[0] == "//":
        return end_of(text, text.find("\n", opening.end()))
    if opening[0] == "/*":
        found = text.find("*/", opening.end())
        return end_of(text, found if found < 0 else found + 2)
    hashes, quotes = opening[1], opening[2]
    special = re.compile(rf"\\{hashes}\(|\\{hashes}.|{quotes}{hashes}", re.DOTALL)
    place = opening.end()
    while match := special.search(text, place):
        if match[0].endswith("("):
            place = end_of_interpolation(text, match.end())
        elif match[0].startswith("\\"):
            place = match.end()
        else:
            return match.end()
    return len(text)


def end_of_interpolation(text, place):
    """Behind the parenthesis that closes `\\(`, literals inside included."""
    depth = 1
    while depth and place < len(text):
        match = re.compile(r'[()]|(#*)("""|")').search(text, place)
        if not match:
            return len(text)
        if match[0] in "()":
            depth += 1 if match[0] == "(" else -1
            place = match.end()
        else:
            place = closing(text, match)
    return place


def end_of(text, found):
    return len(text) if found < 0 else found


def functions(code):
    """`(name, first line, last line)` of every function with a body in masked code."""
    for match in FUNCTION.finditer(code):
        if code[:match.start()].rstrip().endswith("."):
            continue
        start = body_start(code, match.end())
        if start is not None:
            first = code.count("\n", 0, match.start()) + 1
            yield match[0], first, code.count("\n", 0, matching_brace(code, start)) + 1


def body_start(code, place):
    """The brace that opens the body: behind the parameters, before any other declaration begins."""
    depth = 0
    for index in range(place, len(code)):
        character = code[index]
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        if depth < 0 or (depth == 0 and character == "}"):
            return None
        if depth == 0 and character == "{":
            return index
        if depth == 0 and character == "\n" and FUNCTION.match(code[index:].lstrip()):
            return None
    return None


def matching_brace(code, start):
    depth = 0
    for index in range(start, len(code)):
        depth += {"{": 1, "}": -1}.get(code[index], 0)
        if depth == 0:
            return index
    return len(code) - 1
