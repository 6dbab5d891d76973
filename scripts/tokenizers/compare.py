"""Tokenizes a mixed text with Switchyard and with the libraries, and fails where an id differs.

Usage: compare.py SWITCHYARD DIRECTORY MEGABYTES
"""

import array
import json
import pathlib
import subprocess
import sys

import tiktoken
import tokenizers

import kinds

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SWITCHYARD, WORK, BYTES = sys.argv[1], pathlib.Path(sys.argv[2]), int(float(sys.argv[3]) * 1e6)
TEXT = WORK / "text.txt"


def ours(tokenizer, *options):
    """The ids without the token that ends the document."""
    output = WORK / "tokens.bin"
    command = [SWITCHYARD, "tokenize", TEXT, "--tokenizer", tokenizer, "--output", output, "--format", "nanogpt"]
    subprocess.run([*command, "--token-bits", "32", *options], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return array.array("I", output.read_bytes())[:-1]


def by_library(text):
    for kind in kinds.KINDS:
        contents = kinds.trained(kind, text[: BYTES // 4], 8000)
        path = WORK / "tokenizer.json"
        path.write_text(contents)
        tokenizer = tokenizers.Tokenizer.from_str(contents)
        tokenizer.encode_special_tokens = True
        expected = array.array("I", tokenizer.encode(text, add_special_tokens=False).ids)
        yield f"tokenizers, {kind}", expected, ours(path)


def by_tiktoken(text):
    for name, expression in [("gpt2", kinds.GPT2), ("cl100k", kinds.CL100K), ("o200k", kinds.O200K)]:
        contents = json.loads(kinds.trained("llama3" if name == "cl100k" else name, text[: BYTES // 4], 8000))
        spelled = [token for token in contents["model"]["vocab"] if token != "<|endoftext|>"]
        ranks = {kinds.spelled_bytes(token): rank for rank, token in enumerate(spelled)}
        encoding = tiktoken.Encoding("trained", pat_str=expression, mergeable_ranks=ranks, special_tokens={})
        # Rank files are read under published names alone: the stored form of the same tokenizer.
        end = len(spelled)
        head = f"#switchyard tokenizer 1\npattern {name}\nnfc false\nwhole_words true\ndocument_token {end}\ntokens {end}\n"
        path = WORK / "stored.txt"
        path.write_text(head + "\n".join(spelled) + f"\nadded 1\n{end} special <|endoftext|>\nmerges by_rank\n")
        yield f"tiktoken, {name}", array.array("I", encoding.encode_ordinary(text)), ours(path)


def main():
    pages = [*sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("Sources/**/*.swift")), *sorted(ROOT.glob("scripts/**/*.py"))]
    prose = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    text = kinds.mixed(prose, BYTES, seed=3) + "\n \n  "
    TEXT.write_text(text, encoding="utf-8", newline="")
    print(f"tokenizers {tokenizers.__version__}, tiktoken {tiktoken.__version__}, {TEXT.stat().st_size} bytes")
    failed = False
    for source in (by_library(text), by_tiktoken(text)):
        for name, expected, found in source:
            agrees = expected == found
            failed = failed or not agrees
            print(f"{'equal' if agrees else 'DIFFERENT'}\t{len(expected)} tokens\t{name}", flush=True)
            if not agrees:
                place = next((i for i, pair in enumerate(zip(expected, found)) if pair[0] != pair[1]), "the end")
                print(f"\tfrom {place} on; Switchyard gives {len(found)}")
    sys.exit(failed)


main()
