"""Learns merges of a text with Switchyard and with `tokenizers`, and compares them and the processor time.

Usage: training.py SWITCHYARD TEXT DIRECTORY
"""

import json
import pathlib
import resource
import subprocess
import sys

import tokenizers
from tokenizers import models, pre_tokenizers, trainers

SWITCHYARD, TEXT, WORK = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])


def seconds(of):
    usage = resource.getrusage(of)
    return usage.ru_utime + usage.ru_stime


def ours(tokenizer):
    """Processor seconds of the whole command, and the lines of the merges."""
    merges, output = WORK / "merges.txt", WORK / "tokens.bin"
    start = seconds(resource.RUSAGE_CHILDREN)
    command = [SWITCHYARD, "tokenize", TEXT, "--tokenizer", tokenizer, "--output", output, "--format", "nanogpt"]
    subprocess.run(
        [*command, "--tokenizer-output", merges], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    return seconds(resource.RUSAGE_CHILDREN) - start, merges.read_text(encoding="utf-8").splitlines()[1:]


def theirs(text, size):
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    # Switchyard counts the token that ends a document, too.
    trainer = trainers.BpeTrainer(
        vocab_size=size - 1,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    start = seconds(resource.RUSAGE_SELF)
    # As one text: in pieces, the words at their ends would be others.
    tokenizer.train_from_iterator([text], trainer)
    used = seconds(resource.RUSAGE_SELF) - start
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return used, [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]


def main():
    text = TEXT.read_bytes().decode("utf-8")
    for size in (4096, 32768):
        learned, merges = ours(f"bpe {size}")
        known = WORK / "known.txt"
        known.write_text("#version: 0.2\n" + "".join(line + "\n" for line in merges), encoding="utf-8")
        encoded, _ = ours(known)
        library, expected = theirs(text, size)
        if merges != expected:
            sys.exit(f"{size} entries: the merges differ")
        own = learned - encoded
        print(
            f"{size} entries, {len(merges)} equal merges: {own:.1f} s, with reading and encoding the text {learned:.1f} s; "
            f"tokenizers {library:.1f} s, {library / own:.1f} times as long",
            flush=True,
        )
    print(f"tokenizers, peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


main()
