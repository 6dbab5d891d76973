#!/usr/bin/env python3
"""Reads and writes Switchyard's checkpoints, from docs/checkpoint-format.md alone. Needs numpy and h5py.
  checkpoint.py show DIRECTORY                verifies it; step and tensors through index.h5
  checkpoint.py copy DIRECTORY NEW [SHARDS]   writes the same state again, cut along the first axis
"""
import hashlib, pathlib, re, sys
import h5py
import numpy as np

OF_THE_SYSTEM = re.compile(
    r"(\.DS_Store|(eh)?[Tt]humbs\.db|desktop\.ini|\.directory)$|\.nfs|\.fuse_hidden|\.smbdelete|\.afs|\._").match

def sha256(data):
    return hashlib.sha256(data).hexdigest()

def digest(name, values):
    key = 0xCBF29CE484222325
    for byte in name.encode():
        key = (key ^ byte) * 0x100000001B3 % 2**64
    bits = np.ascontiguousarray(values, "<f4").view("<u4").ravel().astype(np.uint64)
    with np.errstate(over="ignore"):
        word = np.uint64(key) + np.arange(bits.size, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        product = (bits ^ (word & np.uint64(0xFFFFFFFF))) * ((word >> np.uint64(32)) | np.uint64(1))
        return int(np.sum(product ^ (product >> np.uint64(32)), dtype=np.uint64))

def text(extents):
    return ",".join(map(str, extents))

def read(directory):
    data = (directory / "manifest").read_bytes()
    if data[-72:] != f"sha256 {sha256(data[:-72])}\n".encode():
        sys.exit(f"{directory}: the manifest is damaged")
    lines = [line.split(" ") for line in data[:-72].decode().splitlines()]
    if lines[0] != ["switchyard", "checkpoint", "1"]:
        sys.exit(f"{directory}: unknown format `{' '.join(lines[0])}`")
    files, tensors, wanted = [words[3] for words in lines if words[0] == "file"], {}, {}
    if sorted(path.name for path in directory.iterdir() if not OF_THE_SYSTEM(path.name)) != sorted(files + ["manifest"]):
        sys.exit(f"{directory}: files are missing or do not belong here")
    for words in lines[2:]:
        if words[0] == "file":
            if sha256((directory / words[3]).read_bytes()) != words[2]:
                sys.exit(f"{directory / words[3]}: differs from what was written")
        elif words[0] == "tensor":
            name, wanted[words[4]] = words[4], int(words[3], 16)
            tensors[name] = np.full([int(n) for n in words[2].split(",")], np.nan, "<f4")
        elif words[0] == "piece":
            corner, shape = ([int(n) for n in word.split(",")] for word in words[3:5])
            place = tuple(slice(o, o + n) for o, n in zip(corner, shape))
            with h5py.File(directory / files[int(words[1])], "r") as shard:
                tensors[name][place] = shard[words[5]][...]
    for name, values in tensors.items():
        if digest(name, values) != wanted[name]:
            sys.exit(f"{directory}: {name} is not what was saved")
    return int(lines[1][1]), tensors

def write(directory, step, tensors, record, shards=1, run="run"):
    directory.mkdir()
    names = [f"{run}-step-{step:08}-{i + 1:05}-of-{shards:05}.h5" for i in range(shards)]
    pieces, layouts = {name: [] for name in sorted(tensors)}, {}
    for i, shard in enumerate(names):
        with h5py.File(directory / shard, "w") as file:
            for name, values in sorted(tensors.items()):
                start, end = (len(values) * n // shards for n in (i, i + 1))
                if start < end:
                    dataset = file.create_dataset(name, data=values[start:end].astype("<f4"))
                    offset = [start] + [0] * (values.ndim - 1)
                    dataset.attrs["offset"], dataset.attrs["global_shape"] = np.int64(offset), np.int64(values.shape)
                    pieces[name].append((i, dataset.id.get_offset(), offset, dataset.shape))
                    layout = layouts.setdefault(name, h5py.VirtualLayout(values.shape, "<f4"))
                    layout[start:end] = h5py.VirtualSource(shard, name, dataset.shape)
    with h5py.File(directory / "index.h5", "w") as index:
        for name, layout in sorted(layouts.items()):
            index.create_virtual_dataset(name, layout, fillvalue=np.nan)
        record(index)
    lines = ["switchyard checkpoint 1", f"step {step}"]
    for name in names + ["index.h5"]:
        data = (directory / name).read_bytes()
        lines.append(f"file {len(data)} {sha256(data)} {name}")
    for name, values in sorted(tensors.items()):
        lines.append(f"tensor float32 {text(values.shape)} {digest(name, values):016x} {name}")
        lines += [f"piece {i} {byte} {text(offset)} {text(shape)} {name}" for i, byte, offset, shape in pieces[name]]
    body = "".join(line + "\n" for line in lines).encode()
    (directory / "manifest").write_bytes(body + f"sha256 {sha256(body)}\n".encode())

def main(command, source, new="", shards=1):
    directory = pathlib.Path(source)
    step, tensors = read(directory)
    with h5py.File(directory / "index.h5", "r") as index:
        if command == "show":
            print("step", index.attrs["step"], "config", repr(index["run/config"].asstr()[()]))
            for name in sorted(tensors):
                assert np.array_equal(index[name][...], tensors[name], equal_nan=True), name
                print(name, *index[name].shape, f"{np.linalg.norm(index[name][...].astype('f8')):.6g}")
        elif command == "copy":
            record = lambda target: (target.attrs.update(index.attrs), index.copy("run", target))
            write(pathlib.Path(new), step, tensors, record, int(shards))
    print(f"{directory}: verified, step {step}, {len(tensors)} tensors")

if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) > 2 else sys.exit(__doc__)
