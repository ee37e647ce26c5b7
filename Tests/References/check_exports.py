#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exports a small run of every cell, and prints how far others compute from `predict`.

    python3 check_exports.py .build/debug/momentum-dist [CELL...]

For each cell it trains two layers for a few steps, and compares with the answers of `predict`: the
PyTorch modules of Examples in float32 and in float64, and onnxruntime, for all sequences at once,
for some alone and, where the cell carries states, in two pieces. The numbers are the largest
differences, as shares of 1 or, above it, of the number itself. A run that starts with --initial
from the export and takes no step has the same parameters: the largest difference is 0.

It works in the current folder, and ends with 1 if a difference is above its limit. It needs torch,
onnx, onnxruntime, numpy and h5py.
"""
import json
import os
import shutil
import subprocess
import sys

import h5py
import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Examples"))
import check_onnx  # noqa: E402
import check_torch  # noqa: E402
from momentum_dist_torch import read_safetensors  # noqa: E402

LIMITS = {"torch float32": 1e-4, "torch float64": 1e-6, "onnxruntime": 1e-5, "--initial": 0}
GRAPH = (
    "a: input + b, channels 4, stride 2, cell rgc; b: a, channels 2, separable, norm group 2,"
    " activation relu, pool max 2")


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def write_data(path, maps):
    """Images of 4 x 3 x 3, or sequences of three features and unequal lengths, of two classes."""
    rng = np.random.default_rng(3)
    with h5py.File(path, "w") as file:
        for part in ["train", "test"]:
            if maps:
                file[f"{part}/x"] = rng.random((36, 4, 3, 3), np.float32)
            else:
                begins = np.concatenate([[0], np.cumsum(rng.integers(3, 8, 36))])
                file[f"{part}/x"] = rng.normal(50, 10, (begins[-1], 3)).astype(np.float32)
                file[f"{part}/begins"] = begins
            file[f"{part}/y"] = (np.arange(36) % 2).astype(np.int32)


def settings(cell, maps):
    own = {
        "dataset.task": "classification", "dataset.file": "data.h5", "dataset.inputs": "{part}/x",
        "dataset.targets": "{part}/y", "dataset.validation_count": 4, "batch_size": 12,
        "shards": 4, "model.cell": cell, "model.layers": 2}
    if maps:
        own |= {"dataset.view": "image", "dataset.image_steps": 4, "dataset.shown_steps": 3,
                "model.hidden_size": 3}
    else:
        own |= {"dataset.offsets": "{part}/begins", "dataset.normalize": "features",
                "model.hidden_size": 6}
    if cell == "graph":
        del own["model.layers"]
        own["model.graph"] = GRAPH
    return [word for key, value in own.items() for word in ("--set", f"{key}={value}")]


def largest(values):
    """The largest number; a NaN if there is one."""
    return float(np.max(list(values)))


def compare(program, cell, maps):
    """The largest difference of each way to compute the answers."""
    for name in ["run", "again"]:
        shutil.rmtree(name, ignore_errors=True)
    write_data("data.h5", maps)
    own = settings(cell, maps)
    run(program, "train", "--output", "run", "--max-steps", 6, *own)
    run(program, "predict", "run", "data.h5", "--checkpoint", "latest", "--to", "answers.h5")
    for file in ["model.safetensors", "model.onnx"]:
        run(program, "export", "run", "--to", file)
    found = {}
    with h5py.File("answers.h5") as answers:
        for dtype in [torch.float32, torch.float64]:
            fields = check_torch.differences(
                "model.safetensors", answers, "data.h5", "test", not maps, dtype)
            found[f"torch {str(dtype).removeprefix('torch.')}"] = largest(fields.values())
        model = check_onnx.Session("model.onnx")
        configuration = json.loads(model.metadata["configuration"])
        x, lengths = check_onnx.read(
            "data.h5", "test", configuration, json.loads(model.metadata.get("data", "{}")))
        values = {name: answers[name][:] for name in answers}
        found["onnxruntime"] = largest(check_onnx.compare(model, values, x, lengths).values())
    run(program, "train", "--output", "again", "--initial", "model.safetensors", "--max-steps", 0,
        "--set", "seed=9", *own)
    run(program, "export", "again", "--to", "again.safetensors")
    first, second = (read_safetensors(f"{name}.safetensors")[0] for name in ["model", "again"])
    assert first.keys() == second.keys(), f"{cell}: {first.keys() ^ second.keys()}"
    found["--initial"] = largest((first[k] - second[k]).abs().max().item() for k in first)
    return found


def main():
    program, chosen = os.path.abspath(sys.argv[1]), sys.argv[2:]
    torch.set_num_threads(1)
    cells = [json.loads(line) for line in run(program, "cells", "--json").splitlines()]
    print(f"{'cell':20}" + "".join(f"{name:>15}" for name in LIMITS), flush=True)
    is_good = True
    for cell in cells:
        name = cell["cell"]
        if chosen and name not in chosen:
            continue
        maps = any(word in cell["family"] for word in ["convolution", "decay", "graph"])
        found = compare(program, name, maps)
        is_good &= all(found[key] <= limit for key, limit in LIMITS.items())
        print(f"{name:20}" + "".join(f"{found[key]:15.1e}" for key in LIMITS), flush=True)
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
