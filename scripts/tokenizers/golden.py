#!/usr/bin/env python3
"""Writes Tests/DataTests/Golden/Tokenizers: a tokenizer.json of every kind, and the ids that `tokenizers` and `tiktoken` give:
python3 scripts/tokenizers/golden.py, with requirements.txt of its folder."""

import json
import pathlib

import tiktoken
from tokenizers import Tokenizer

import kinds

root = pathlib.Path(__file__).resolve().parents[2]
prose = (root / "README.md").read_text() + (root / "Package.swift").read_text()
text = kinds.mixed(prose, 1500, seed=1)
target = root / "Tests/DataTests/Golden/Tokenizers"
target.mkdir(parents=True, exist_ok=True)
cases = []
for kind in [kind for kind in kinds.KINDS if kind not in ("llama3, inverted", "gpt2 as a Split", "characters, Metaspace")]:
    contents = kinds.trained(kind, kinds.mixed(prose, 30_000, seed=2), 310)
    tokenizer = Tokenizer.from_str(contents)
    # Names of special tokens in a text are text.
    tokenizer.encode_special_tokens = True
    file = kind.replace(",", "").replace(" ", "-") + ".json"
    (target / file).write_text(contents + "\n")
    cases.append({"file": file, "ids": tokenizer.encode(text, add_special_tokens=False).ids})

ranked = []
for pattern, expression in [("gpt2", kinds.GPT2), ("cl100k", kinds.CL100K), ("o200k", kinds.O200K)]:
    kind = "llama3" if pattern == "cl100k" else pattern
    contents = json.loads(kinds.trained(kind, kinds.mixed(prose, 30_000, seed=2), 310))
    names = [name for name in contents["model"]["vocab"] if name != "<|endoftext|>"]
    tokens = [kinds.spelled_bytes(name) for name in names]
    encoding = tiktoken.Encoding(
        "trained", pat_str=expression, mergeable_ranks={token: rank for rank, token in enumerate(tokens)}, special_tokens={}
    )
    ids = encoding.encode_ordinary(text + "\n  ")
    ranked.append({"pattern": pattern, "tokens": [token.hex() for token in tokens], "ids": ids})

ids = {"text": text, "cases": cases, "ranked": ranked}
(target / "ids.json").write_text(json.dumps(ids, ensure_ascii=False, separators=(",", ":")) + "\n")
print(sum(file.stat().st_size for file in target.iterdir()), "bytes")
