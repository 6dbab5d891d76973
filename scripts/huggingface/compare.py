"""Loads an export as `transformers` does and compares it with what Switchyard computed.

Usage: compare.py EXPORT REFERENCE [--text FILE --tokens FILE] [--loss-data FILE --loss NATS --context N]

REFERENCE is the file that `switchyard convert to-huggingface --reference` wrote. Fails on a missing or unexpected key, on
a warning, on a logit that is off by more than 1e-4, on other token ids than those of FILE (nanoGPT's format, one document),
and on another mean loss over the same windows.
"""

import argparse
import json
import logging
import pathlib
import sys
import warnings

import deepseek
import numpy as np
import torch
import transformers
from safetensors.numpy import load_file

TOLERANCE = 1e-4


class Complaints(logging.Handler):
    """What the library says at WARNING or above."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


def load(directory):
    """The model in float32, and everything that was said against it. Of DeepSeek-MoE by a program of our own."""
    if json.loads((pathlib.Path(directory) / "config.json").read_text())["model_type"] == "deepseek":
        return deepseek.load(directory), []
    complaints = Complaints()
    transformers.logging.get_logger("transformers").addHandler(complaints)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model, report = transformers.AutoModelForCausalLM.from_pretrained(
            directory, dtype=torch.float32, output_loading_info=True)
    found = complaints.texts + [str(w.message) for w in caught]
    found += [f"{kind}: {sorted(keys)[:3]}" for kind, keys in report.items() if keys]
    return model.eval(), found


@torch.no_grad()
def largest_difference(model, reference):
    tensors = load_file(reference)
    ours, tokens = tensors["logits"], torch.from_numpy(tensors["tokens"].astype(np.int64))
    theirs = torch.cat([model(row[None]).logits for row in tokens]).numpy()
    return float(np.abs(ours - theirs).max()), tokens.numel()


@torch.no_grad()
def mean_loss(model, tokens, context):
    """Consecutive windows of `context` tokens, each predicting its own next tokens; the last partial one is left out."""
    total, count, batch = 0.0, (len(tokens) - 1) // context, 16
    places = np.arange(count)[:, None] * context + np.arange(context + 1)
    windows = torch.from_numpy(tokens[places].astype(np.int64))
    for part in windows.split(batch):
        logits = model(part[:, :-1]).logits.double()
        total += torch.nn.functional.cross_entropy(logits.transpose(1, 2), part[:, 1:], reduction="sum").item()
    return total / (count * context), count * context


def ids(tokenizer, text):
    return np.array(tokenizer(text, add_special_tokens=False)["input_ids"], dtype=np.int64)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("export")
    parser.add_argument("reference")
    parser.add_argument("--text")
    parser.add_argument("--tokens", help="the text's tokens, nanoGPT's format, end of text last")
    parser.add_argument("--loss-data", help="tokens, nanoGPT's format")
    parser.add_argument("--loss", type=float)
    parser.add_argument("--context", type=int)
    options = parser.parse_args()
    failures = []

    model, complaints = load(options.export)
    failures += [f"loading: {text}" for text in complaints]
    stored = "<u2" if model.config.vocab_size <= 65536 else "<u4"
    difference, count = largest_difference(model, options.reference)
    print(f"{type(model).__name__}: largest logit difference {difference:.3g} over {count} tokens")
    if not difference <= TOLERANCE:
        failures.append(f"logits are off by {difference}")
    if options.tokens:
        tokenizer = transformers.AutoTokenizer.from_pretrained(options.export, model_max_length=10**9)
        text = open(options.text, encoding="utf-8", newline="").read()
        ours, theirs = np.fromfile(options.tokens, dtype=stored), ids(tokenizer, text)
        same = len(ours) == len(theirs) + 1 and bool((ours[:-1] == theirs).all()) and ours[-1] == tokenizer.eos_token_id
        back = tokenizer.decode(theirs.tolist()) == text
        print(f"tokenizer: {len(theirs)} ids, {'the same' if same else 'OTHERS'}; decoded: {back}")
        if not (same and back):
            failures.append("the tokenizer gives other ids or another text")
    if options.loss_data:
        loss, count = mean_loss(model, np.fromfile(options.loss_data, dtype=stored), options.context)
        print(f"mean loss {loss:.6f} over {count} tokens, switchyard evaluate says {options.loss:.6f}")
        if not abs(loss - options.loss) <= TOLERANCE:
            failures.append(f"mean loss is {loss}, not {options.loss}")
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    sys.exit(1 if failures else 0)


main()
