#!/usr/bin/env python3
"""Reads a run's event files with TensorBoard's own reader and compares them with metrics.jsonl.

    tensorboard-reference.py RUN...        # needs the package tensorboard; RUN was trained with metrics.formats: [tensorboard]

Every number of every record must be a scalar of its step, equal after rounding to float32, and there must be no other: the
reader has to drop what later jobs replaced. The loads of experts must be histograms with their number, sum and extremes. Prints how many were compared; exit code 1 if one differs.
"""
import json
import math
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

NO_CURVES = {"step", "sequences"}


def rounded(number):
    return struct.unpack("f", struct.pack("f", number))[0]


def numbers(record):
    """(name, layer, value) of what must be a scalar."""
    words = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    for name, value in record.items():
        if name == "expert_load":
            continue
        for layer, one in enumerate(value) if isinstance(value, list) else [(None, value)]:
            one = words.get(one, one) if isinstance(one, str) else one
            if name not in NO_CURVES and isinstance(one, (int, float)) and not isinstance(one, bool):
                yield name, layer, one


def expected(run):
    points = {}
    for line in (run / "metrics.jsonl").read_text().splitlines():
        record = json.loads(line)
        for name, layer, value in numbers(record):
            points[name if layer is None else f"{name}/{layer}", record["step"]] = rounded(value)
    return points


def expected_histograms(run):
    """Number, sum and extremes of the loads over their mean, by tag and step."""
    found = {}
    for line in (run / "metrics.jsonl").read_text().splitlines():
        record = json.loads(line)
        for layer, loads in enumerate(record.get("expert_load", [])):
            mean = sum(loads) / len(loads)
            relative = [load / mean if mean else 0 for load in loads]
            found[f"expert_load/{layer}", record["step"]] = (len(loads), sum(relative), min(relative), max(relative))
    return found


def shown_histograms(reader):
    found = {}
    for tag in reader.Tags()["histograms"]:
        for event in reader.Histograms(tag):
            value = event.histogram_value
            if sum(value.bucket) != value.num or len(value.bucket) != len(value.bucket_limit):
                sys.exit(f"{tag}, step {event.step}: the intervals hold {sum(value.bucket)} of {value.num} values")
            found[tag, event.step] = (value.num, value.sum, value.min, value.max)
    return found


def shown(run):
    reader = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "tensors": 0, "histograms": 0})
    reader.Reload()
    points = {}
    for tag in reader.Tags()["scalars"]:
        group, name = tag.split("/", 1)
        for event in reader.Scalars(tag):
            points[tag if name.isdigit() else name, event.step] = event.value
    texts = [event.tensor_proto.string_val[0].decode() for event in reader.Tensors("configuration")]
    return points, texts, shown_histograms(reader)


def main():
    failed = False
    for run in map(Path, sys.argv[1:]):
        want, (have, texts, histograms) = expected(run), shown(run)
        wrong = [key for key in want.keys() | have.keys()
                 if key not in want or key not in have or not (want[key] == have[key] or want[key] != want[key] and have[key] != have[key])]
        configuration = (run / "config.yaml").read_text()
        loads = expected_histograms(run)
        differing = [key for key in loads.keys() | histograms.keys()
                     if not all(map(math.isclose, loads.get(key, ()), histograms.get(key, ()))) or key not in loads or key not in histograms]
        ok = not wrong and not differing and texts and texts[-1] == f"```yaml\n{configuration}```"
        print(f"{run}: {len(want)} numbers of {len({step for _, step in want})} steps, {len(wrong)} differ"
              + ("" if ok or wrong or differing else "; the configuration differs"))
        print(f"  {len(loads)} histograms, {len(differing)} differ")
        for key in sorted(wrong)[:5]:
            print(f"  {key}: metrics.jsonl {want.get(key)}, TensorBoard {have.get(key)}")
        failed = failed or not ok
    sys.exit(failed)


if __name__ == "__main__":
    main()
