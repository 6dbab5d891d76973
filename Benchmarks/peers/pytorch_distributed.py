"""Times PyTorch on Switchyard's model over several processes: data parallel, with the experts of every layer shared out.

    python Benchmarks/peers/pytorch_distributed.py --config larger --precision bfloat16 --ranks 2 --threads 1 --steps 5

Starts the processes itself and joins them by gloo. Every rank computes its share of the sequences; tokens travel to the
ranks that hold their experts by all-to-all and back, gradients of what all ranks hold are summed by all-reduce. Each rank's
sequences are one lane: capacity and drops are its own. The last line is one JSON object, as that of pytorch_moe.py.
"""

import json
import os
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import replace

os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # huge pages for tensors; PyTorch reads it when it is imported

import torch
import torch.distributed as dist
import torch.multiprocessing as processes
import torch.nn.functional as F

import pytorch_moe
from pytorch_model import Experts, Model, weight


class Exchange(torch.autograd.Function):
    """Rows to every rank and, backwards, their gradients back. All ranks send equally many: seats, full or empty."""

    @staticmethod
    def forward(ctx, rows):
        arrived = torch.empty_like(rows)
        dist.all_to_all_single(arrived, rows.contiguous())
        return arrived

    @staticmethod
    def backward(ctx, gradient):
        return Exchange.apply(gradient)


class SharedExperts(Experts):
    """This rank's experts of a layer; `[experts, capacity + 1, d_model]` of every rank meet at the experts' ranks."""

    def __init__(self, settings):
        super().__init__(settings)
        X, d, f = settings.routed_experts // dist.get_world_size(), settings.d_model, settings.hidden
        self.gate_up = weight(X, d, 2 * f, fan_in=d)
        self.down = weight(X, f, d, fan_in=f)

    def products(self, buffer):
        """buffer: [experts of all ranks, seats, d_model]"""
        ranks, local = dist.get_world_size(), self.gate_up.shape[0]
        experts, seats, d = buffer.shape
        arrived = Exchange.apply(buffer.view(ranks, local * seats, d)).view(ranks, local, seats, d)
        arrived = arrived.transpose(0, 1).reshape(local, ranks * seats, d)
        answers = self.multiply(arrived).view(local, ranks, seats, d).transpose(0, 1)
        return Exchange.apply(answers.reshape(ranks, local * seats, d)).view(experts, seats, d)

    def multiply(self, rows):
        gate, up = torch.bmm(rows, self.gate_up).chunk(2, dim=-1)
        return torch.bmm(F.silu(gate) * up, self.down)

    def loop(self, x, route, gates):
        """The same exchange; each expert's product by itself."""
        return self.padded(x, route, gates)


class SharedExpertsInTurn(SharedExperts):
    def multiply(self, rows):
        answers = []
        for e in range(self.gate_up.shape[0]):
            gate, up = (rows[e] @ self.gate_up[e]).chunk(2, dim=-1)
            answers.append((F.silu(gate) * up) @ self.down[e])
        return torch.stack(answers)


def share_out(model, settings):
    """Replaces all experts of the layers by this rank's."""
    kind = SharedExperts if settings.experts_implementation == "padded" else SharedExpertsInTurn
    for block in model.blocks:
        block.feed_forward.experts = kind(settings)
    return model


class GradientSums:
    """Sums over ranks: one flat all-reduce of what all ranks hold. Experts saw the tokens of all ranks already."""

    def __init__(self, model):
        self.experts = [p for name, p in model.named_parameters() if ".experts." in name]
        self.replicated = [p for name, p in model.named_parameters() if ".experts." not in name]
        self.flat = torch.empty(sum(p.numel() for p in self.replicated))

    def sum(self):
        torch.cat([p.grad.reshape(-1) for p in self.replicated], out=self.flat)
        dist.all_reduce(self.flat)
        start = 0
        for p in self.replicated:
            p.grad.copy_(self.flat[start:start + p.numel()].view_as(p))
            start += p.numel()

    def clip(self, limit):
        """By the norm of the whole gradient, each expert counted once."""
        squares = torch.stack(torch._foreach_norm([p.grad for p in self.experts])).square().sum()
        dist.all_reduce(squares)
        squares += torch.stack(torch._foreach_norm([p.grad for p in self.replicated])).square().sum()
        factor = min(1.0, limit / (squares.sqrt().item() + 1e-6))
        if factor < 1:
            torch._foreach_mul_([p.grad for p in self.experts + self.replicated], factor)


def make_step(settings, sequences, precision, compiled):
    torch.manual_seed(0)
    model = share_out(Model(settings), settings).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    sums = GradientSums(model)
    forward = torch.compile(model) if compiled else model
    mixed = precision != torch.float32
    ranks = dist.get_world_size()
    torch.manual_seed(1 + dist.get_rank())

    def step():
        tokens = torch.randint(settings.vocabulary_size, (sequences // ranks, settings.context + 1))
        with torch.autocast("cpu", dtype=precision, enabled=mixed):
            losses = forward(tokens)
        (model.total(*losses) / ranks).backward()
        sums.sum()
        sums.clip(1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return losses[0].item()

    return model, step


def time_steps(step, steps, warm_up, tokens):
    """Seconds of each step after the warm-up, from a barrier to a barrier."""
    seconds = []
    for number in range(warm_up + steps):
        dist.barrier()
        start = time.perf_counter()
        loss = step()
        dist.barrier()
        seconds.append(time.perf_counter() - start)
        if dist.get_rank() == 0:
            kind = "warm-up" if number < warm_up else "step"
            print(f"{kind} {number}: {seconds[-1]:.3f} s, {tokens / seconds[-1]:.0f} tokens/s, loss {loss:.4f}", flush=True)
    return seconds[warm_up:]


def bind(rank, threads):
    """Each rank to processors of its own, as mpirun does, if there are enough."""
    allowed = sorted(os.sched_getaffinity(0))
    mine = allowed[rank * threads:(rank + 1) * threads]
    if len(mine) == threads:
        os.sched_setaffinity(0, mine)


def work(rank, arguments, meeting):
    pytorch_moe.keep_freed_memory()
    bind(rank, arguments.threads)
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=arguments.ranks)
    settings, sequences = pytorch_moe.CONFIGS[arguments.config]
    settings = replace(settings, experts_implementation=arguments.experts_implementation)
    precision = pytorch_moe.PRECISIONS[arguments.precision]
    dist.barrier()
    figures = torch.tensor([pytorch_moe.gemm_gflops(precision)], dtype=torch.float64)
    dist.all_reduce(figures)
    peak = figures.item()
    model, step = make_step(settings, sequences, precision, arguments.compile)
    tokens = sequences * settings.context
    seconds = time_steps(step, arguments.steps, arguments.warm_up, tokens)
    memory = torch.tensor([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024])
    dist.all_reduce(memory, op=dist.ReduceOp.MAX)
    if rank == 0:
        figures = pytorch_moe.figures(arguments, settings, tokens, seconds, peak)
        print(json.dumps(figures | {"peak_rss_mb": round(memory.item())}))
    dist.destroy_process_group()


def main():
    parser = pytorch_moe.argument_parser(__doc__)
    parser.add_argument("--ranks", type=int, default=2)
    parser.set_defaults(threads=1)
    arguments = parser.parse_args()
    settings, sequences = pytorch_moe.CONFIGS[arguments.config]
    if settings.routed_experts % arguments.ranks or sequences % arguments.ranks:
        sys.exit(f"--ranks {arguments.ranks} must divide {settings.routed_experts} experts and {sequences} sequences")
    with tempfile.TemporaryDirectory() as folder:
        processes.spawn(work, args=(arguments, f"{folder}/meeting"), nprocs=arguments.ranks)


if __name__ == "__main__":
    main()
