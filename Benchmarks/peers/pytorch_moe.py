"""Times PyTorch on Switchyard's model: forward, backward, gradient clip and fused AdamW on one machine's CPUs.

    python Benchmarks/peers/pytorch_moe.py --config larger --precision bfloat16 --threads 2 --steps 5

The last line is one JSON object; `model_gflops` counts what README.md says it counts.
"""

import argparse
import contextlib
import ctypes
import json
import os
import resource
import statistics
import time
from dataclasses import replace

os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # huge pages for tensors; PyTorch reads it when it is imported

import torch

from pytorch_model import Model, Settings

CONFIGS = {
    "larger": (
        Settings(d_model=512, layers=8, heads=8, context=512, vocabulary_size=8192, experts=8, feed_forward=3), 16,
    ),
    "smaller": (
        Settings(d_model=256, layers=4, heads=4, context=256, vocabulary_size=4096, experts=8, feed_forward=3), 32,
    ),
}
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def keep_freed_memory():
    """Tells glibc not to give tensors' memory back to the system: page faults took about a fifth of a step."""
    trim_threshold, top_pad, mmap_max = -1, -2, -4
    with contextlib.suppress(AttributeError, OSError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(top_pad, 64 << 20)


def flops_per_token(settings):
    """Forward and backward of one token, padding and the embedding's look-up not counted."""
    d, layers = settings.d_model, settings.layers
    block = 4 * d * d + 3 * d * settings.hidden * settings.choices + d * settings.routed_experts
    causal_attention = 12 * layers * d * settings.context / 2
    return 6 * (layers * block + settings.vocabulary_size * d) + causal_attention


def gemm_gflops(precision, size=2048, repeats=10):
    """The best of some square products, GFLOP/s."""
    a, b = (torch.randn(size, size).to(precision) for _ in range(2))
    seconds = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        torch.mm(a, b)
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds[2:]) / 1e9


def make_step(settings, sequences, precision, compiled):
    """The model and a function that does one whole training step on fresh random tokens."""
    torch.manual_seed(0)
    model = Model(settings).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    forward = torch.compile(model) if compiled else model
    mixed = precision != torch.float32

    def step():
        tokens = torch.randint(settings.vocabulary_size, (sequences, settings.context + 1))
        with torch.autocast("cpu", dtype=precision) if mixed else contextlib.nullcontext():
            losses = forward(tokens)
        model.total(*losses).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return losses[0].item()

    return model, step


def time_steps(step, steps, warm_up, tokens):
    """Seconds of each step after the warm-up."""
    seconds = []
    for number in range(warm_up + steps):
        start = time.perf_counter()
        loss = step()
        elapsed = time.perf_counter() - start
        kind = "warm-up" if number < warm_up else "step"
        print(f"{kind} {number}: {elapsed:.3f} s, {tokens / elapsed:.0f} tokens/s, loss {loss:.4f}", flush=True)
        seconds.append(elapsed)
    return seconds[warm_up:]


def argument_parser(description):
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--config", choices=CONFIGS, default="smaller")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--compile", action="store_true", help="run the model through torch.compile")
    parser.add_argument("--experts-implementation", choices=["padded", "loop"], default="padded")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5, help="timed steps")
    parser.add_argument("--warm-up", type=int, default=2, help="steps before them")
    return parser


def figures(arguments, settings, tokens, seconds, peak):
    """What the last line of the output says."""
    tokens_per_second = tokens / statistics.median(seconds)
    model_gflops = tokens_per_second * flops_per_token(settings) / 1e9
    return vars(arguments) | {
        "tokens_per_second": round(tokens_per_second, 1),
        "best_tokens_per_second": round(tokens / min(seconds), 1),
        "model_gflops": round(model_gflops, 1),
        "gemm_gflops": round(peak, 1),
        "mfu": round(model_gflops / peak, 4),
        "torch": torch.__version__,
    }


def main():
    arguments = argument_parser(__doc__).parse_args()
    keep_freed_memory()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    settings, sequences = CONFIGS[arguments.config]
    settings = replace(settings, experts_implementation=arguments.experts_implementation)
    precision = PRECISIONS[arguments.precision]
    peak = gemm_gflops(precision)
    model, step = make_step(settings, sequences, precision, arguments.compile)
    tokens = sequences * settings.context
    seconds = time_steps(step, arguments.steps, arguments.warm_up, tokens)
    print(json.dumps(figures(arguments, settings, tokens, seconds, peak) | {
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }))


if __name__ == "__main__":
    main()
