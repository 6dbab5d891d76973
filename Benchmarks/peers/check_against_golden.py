"""Checks that the PyTorch peer is Switchyard's model: float64 losses and gradients against every golden file.

    python Benchmarks/peers/check_against_golden.py

Both implementations of the experts; the error is relative to the largest entry of each gradient. Needs h5py as well.
"""

from pathlib import Path

import h5py
import torch

from pytorch_model import Model, Settings

GOLDEN = Path(__file__).resolve().parents[2] / "Tests" / "ModelTests" / "Golden"
TOLERANCE = 1e-12


def settings_of(file, implementation):
    values = {name: value[()].item() for name, value in file["settings"].items()}
    del values["lane_tokens"]
    for flag in ("tie_embeddings", "normalize_gates"):
        values[flag] = bool(values[flag])
    return Settings(layer_norm=bool(values.pop("norm")), experts_implementation=implementation, **values)


def golden_name(name):
    return name.replace("feed_forward.", "") if "blocks" in name else name


def mean_losses(model, tokens):
    """Loss, load balance and z-loss, means over the lanes."""
    lanes = [torch.stack(model(lane)) for lane in tokens]
    return torch.stack(lanes).mean(dim=0)


def largest_error(file, implementation):
    model = Model(settings_of(file, implementation)).double()
    parameters = {golden_name(name): parameter for name, parameter in model.named_parameters()}
    if set(parameters) != set(file["parameters"]):
        raise SystemExit(f"parameters differ: {sorted(set(parameters) ^ set(file['parameters']))}")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(torch.from_numpy(file["parameters"][name][()]))
    found = mean_losses(model, torch.from_numpy(file["tokens"][()]).long())
    model.total(*found).backward()
    errors = {
        name: abs(value.item() / file[name][()] - 1)
        for name, value in zip(("loss", "load_balance_loss", "z_loss"), found)
    }
    for name, parameter in parameters.items():
        golden = torch.from_numpy(file["gradients"][name][()])
        errors[name] = ((parameter.grad - golden).abs().max() / golden.abs().max()).item()
    worst = max(errors, key=errors.get)
    return worst, errors[worst]


def main():
    wrong = False
    for path in sorted(GOLDEN.glob("*.h5")):
        with h5py.File(path, "r") as file:
            for implementation in ("padded", "loop"):
                worst, error = largest_error(file, implementation)
                wrong |= not error < TOLERANCE
                print(f"{path.stem}, {implementation}: largest relative error {error:.1e}, in {worst}")
    return int(wrong)


if __name__ == "__main__":
    raise SystemExit(main())
