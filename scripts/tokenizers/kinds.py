"""Tokenizers of every kind that Switchyard reads, trained by Hugging Face `tokenizers`: no vocabulary is downloaded."""

import json
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
# tiktoken_ext/openai_public.py
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K = "|".join(
    [
        r"[^\r\n\p{L}\p{N}]?" + UPPER + "*" + LOWER + "+" + ENDINGS,
        r"[^\r\n\p{L}\p{N}]?" + UPPER + "+" + LOWER + "*" + ENDINGS,
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)


def byte_level(use_regex=True):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), behavior, invert=invert), byte_level(False)])


def digits(individual):
    return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual), byte_level()])


KINDS = {
    "gpt2": byte_level(),
    "gpt2 as a Split": split(GPT2),
    "gpt2, each digit": digits(True),
    "gpt2, numbers, added white space": digits(False),
    "llama3": split(LLAMA3),
    "llama3, inverted": split(LLAMA3, "removed", True),
    "llama3, ignore_merges": split(LLAMA3),
    "qwen2, NFC, added tokens": split(QWEN2),
    "o200k": split(O200K),
    "characters, Prepend": None,
    "characters, Metaspace": pre_tokenizers.Metaspace("▁", "first", split=False),
}


def trained_characters(kind, text, size):
    """A vocabulary as SentencePiece makes it: characters, byte fallback, `▁` only in front. Learned from words, used on whole texts."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace("▁", "always", split=True)
    special = ["<unk>", "<s>", "</s>"]
    trainer = trainers.BpeTrainer(
        vocab_size=size + 300,
        show_progress=False,
        special_tokens=special + [f"<0x{byte:02X}>" for byte in range(256)],
        limit_alphabet=size // 4,
    )
    learner.train_from_iterator([text[i : i + 2000] for i in range(0, len(text), 2000)], trainer)
    learned = json.loads(learner.to_str())
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    if KINDS[kind]:
        tokenizer.pre_tokenizer = KINDS[kind]
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    contents = json.loads(tokenizer.to_str())
    contents["added_tokens"] = [token for token in learned["added_tokens"] if token["content"] in special]
    contents["model"]["vocab"] = learned["model"]["vocab"]
    contents["model"]["merges"] = learned["model"]["merges"]
    return json.dumps(contents, ensure_ascii=False)


def trained(kind, text, size):
    """The text of a `tokenizer.json`."""
    if kind.startswith("characters"):
        return trained_characters(kind, text, size)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = KINDS[kind]
    tokenizer.decoder = decoders.ByteLevel()
    if "NFC" in kind:
        tokenizer.normalizer = normalizers.NFC()
    special = ["<|endoftext|>"] if not kind.startswith("llama3") else []
    trainer = trainers.BpeTrainer(
        vocab_size=size, show_progress=False, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([text[i : i + 2000] for i in range(0, len(text), 2000)], trainer)
    if not special:
        tokenizer.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"])
    if "added tokens" in kind:
        tokenizer.add_tokens([AddedToken(name, normalized=False) for name in ["<tool>", "<tool_call>"]])
    if "added white space" in kind:
        tokenizer.add_tokens([AddedToken(name, normalized=True) for name in ["  ", "    ", "\n\n"]])
    contents = json.loads(tokenizer.to_str())
    if "ignore_merges" in kind:
        # Whole words count where their merges are missing.
        contents["model"]["ignore_merges"] = True
        contents["model"]["merges"] = contents["model"]["merges"][: len(contents["model"]["merges"]) // 2]
    return json.dumps(contents, ensure_ascii=False)


PRINTING = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTES = {chr(byte): byte for byte in PRINTING} | {
    chr(256 + n): byte for n, byte in enumerate(byte for byte in range(256) if byte not in PRINTING)
}


def spelled_bytes(token):
    """The bytes of a token in GPT-2's spelling."""
    return bytes(BYTES[character] for character in token)


ODD = (
    ["  ", "   ", "\n", "\n\n", "\t", "\r\n", "\r", "\u00a0", "\u3000", "\u2028", "\u0085", "\u000b"]
    + ["'s", "'S", "'\u017f", "'ll", "'VE", "'", "don't", "1", "22", "1234567", "½", "Ⅷ", "٣٤", "…", "!?", "/", "//", "_", "()"]
    + ["e\u0301", "é", "\u0301", "a\u0323\u0302", "\u1e9b\u0323", "ﬁ", "Å", "K", "ǅ", "camelCase", "HTTPServer", "ABC", "中Ab"]
    + ["<tool>", "<tool_call>", "<tool", "<|endoftext|>", "<|end_of_text|>", "\u200d", "\ufe0f", "👩‍👩‍👧", "🇩🇪", "\u0899", "\u0d3b\u0301"]
)
SCRIPTS = [
    (0x4E00, 0x5200, []), (0x3041, 0x30F6, [0x3099, 0x309A]), (0xAC00, 0xD7A3, []), (0x1100, 0x11FF, []),
    (0x620, 0x64A, [0x64B, 0x651]), (0x905, 0x939, [0x93C, 0x93E, 0x94D]), (0x410, 0x44F, [0x308]), (0x61, 0x7A, [0x300, 0x323]),
    (0xC0, 0x24F, []), (0x1F300, 0x1F64F, [0xFE0F]),
]  # fmt: skip


def mixed(prose, characters, seed):
    """Prose or code, words of ten scripts, odd pieces, and any characters, in turn."""
    draw = random.Random(seed)
    out, length = [], 0
    anything = [c for c in range(1, 0x30000) if not 0xD800 <= c < 0xE000]
    while length < characters:
        kind = draw.randrange(8)
        if kind < 4:
            start = draw.randrange(max(1, len(prose) - 400))
            piece = prose[start : start + draw.randrange(400)]
        elif kind < 6:
            low, high, marks = draw.choice(SCRIPTS)
            piece = "".join(
                chr(draw.randint(low, high)) + (chr(draw.choice(marks)) if marks and draw.random() < 0.3 else "")
                for _ in range(draw.randrange(1, 9))
            ) + draw.choice([" ", " ", ", ", ".\n", "  "])
        elif kind < 7:
            piece = "".join(draw.choice(ODD) for _ in range(draw.randrange(1, 12)))
        else:
            piece = "".join(chr(draw.choice(anything)) for _ in range(draw.randrange(1, 6)))
        out.append(piece)
        length += len(piece)
    return "".join(out)
