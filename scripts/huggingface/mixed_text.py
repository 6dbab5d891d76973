"""Writes a megabyte of mixed text, the same every time: this project's pages and sources, and many scripts and spaces.

Usage: mixed_text.py FILE
"""

import pathlib
import random
import sys

BYTES = 1_000_000
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ODD = [
    "Schöne Grüße aus Köln — naïve café, façade.\n", "東京の天気は晴れです。明日も晴れるでしょう。", "Привет, мир! Как дела?\n",
    "مرحبا بالعالم ", "नमस्ते दुनिया ", "안녕하세요 세계", "😀👩‍👩‍👧🇪🇺 ", "½ ② x² Ⅷ ٣٤٥ 1234567890", "\t\t \u00a0\u2003\u3000  end",
    "don't we'll I'm they've it's he'd 're 'S", "\r\n\r\n", "   leading and trailing   \n\n\n", "e\u0301 a\u0308 (combining)", "\u200b\ufeff",
    "if (a[i]!=b[j]) { return -1e-5; } // ???", "<html>&nbsp;</html>", "\u2028line\u2029paragraph\x85next", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𒀀𓀀",
]


def main():
    rng = random.Random(6)
    pages = sorted(ROOT.glob("docs/**/*.md")) + sorted(ROOT.glob("Sources/**/*.swift"))
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    # The one difference that is meant: transformers reads the end of text where a text spells it.
    text = text.replace("<|endoftext|>", "")
    pieces, size = [], 0
    while size < BYTES:
        start = rng.randrange(len(text) - 400)
        piece = text[start:start + rng.randrange(20, 400)] + (rng.choice(ODD) if rng.random() < 0.5 else " ")
        pieces.append(piece)
        size += len(piece.encode("utf-8"))
    with open(sys.argv[1], "w", encoding="utf-8", newline="") as file:
        file.write("".join(pieces))


main()
