"""Checks that the peer over several processes is the model in one: float64 losses and every gradient of two lanes.

    python Benchmarks/peers/check_distributed.py

One process computes both lanes and adds up; two processes compute one each, with the experts shared out. Both
implementations of the experts; capacity so small that tokens are dropped.
"""

import tempfile

import torch
import torch.distributed as dist
import torch.multiprocessing as processes

from pytorch_distributed import GradientSums, share_out
from pytorch_model import Model, Settings

RANKS, SEQUENCES, TOLERANCE = 2, 3, 1e-12


def settings(implementation):
    return Settings(
        d_model=16, layers=2, heads=2, context=8, vocabulary_size=11, experts=4, feed_forward=3, top_k=2,
        capacity_factor=0.75, experts_implementation=implementation)


def tokens(rank):
    generator = torch.Generator().manual_seed(100 + rank)
    return torch.randint(11, (SEQUENCES, 9), generator=generator)


def whole_model(implementation):
    torch.manual_seed(0)
    return Model(settings(implementation)).double()


def reference(implementation):
    """The gradients of the mean loss over both lanes, in one process."""
    model = whole_model(implementation)
    for rank in range(RANKS):
        (model.total(*model(tokens(rank))) / RANKS).backward()
    return dict(model.named_parameters())


def largest_error(rank, implementation):
    whole = reference(implementation)
    model = share_out(whole_model(implementation), settings(implementation)).double()
    local = settings(implementation).routed_experts // RANKS
    mine = slice(rank * local, (rank + 1) * local)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(whole[name][mine] if ".experts." in name else whole[name])
    sums = GradientSums(model)
    sums.flat = sums.flat.double()
    (model.total(*model(tokens(rank))) / RANKS).backward()
    sums.sum()
    errors = []
    for name, parameter in model.named_parameters():
        expected = whole[name].grad[mine] if ".experts." in name else whole[name].grad
        errors.append(((parameter.grad - expected).abs().max() / whole[name].grad.abs().max()).item())
    return max(errors)


def work(rank, meeting):
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=RANKS)
    for implementation in ("padded", "loop"):
        error = largest_error(rank, implementation)
        print(f"rank {rank}, {implementation}: largest relative error {error:.1e}", flush=True)
        assert error < TOLERANCE
    dist.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        processes.spawn(work, args=(f"{folder}/meeting",), nprocs=RANKS)
