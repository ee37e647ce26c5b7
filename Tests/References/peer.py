# SPDX-License-Identifier: Apache-2.0

"""Code that the peers in PyTorch share: a training step and its time, and a check of the cell.

The step is that of sequential MNIST: N sequences of T steps of C numbers, one layer of H units, a
linear read-out of the last state, cross-entropy, backward, clipping to 1, Adam. One thread,
denormals flushed. `--mode script` compiles the same loop by TorchScript. `--check cells_ref.py`
compares the cell with a reference in Double instead: outputs and gradients.
"""
import argparse
import importlib.util
import json
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn


def arguments(description, cells, **more):
    """The options of a peer: shapes, and whole numbers of its own."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--cell", choices=cells, default=cells[0])
    parser.add_argument("--mode", choices=["eager", "script"], default="eager")
    parser.add_argument("--check", metavar="CELLS_REF", help="compare with a reference instead")
    shapes = dict(hidden=128, input=1, batch=100, time=784, classes=10, repeats=3, warmup=1)
    for name, value in (shapes | more).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    a = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    return a


def measure(a, cell, **more):
    """Prints the seconds per training step of a cell that maps [T, N, C] to the last state."""
    layer = torch.jit.script(cell) if a.mode == "script" else cell
    read_out = nn.Linear(a.hidden, a.classes)
    parameters = list(layer.parameters()) + list(read_out.parameters())
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    x = torch.rand(a.time, a.batch, a.input)
    classes = torch.randint(a.classes, (a.batch,))
    seconds = []
    for _ in range(a.warmup + a.repeats):
        start = time.perf_counter()
        optimizer.zero_grad()
        F.cross_entropy(read_out(layer(x)), classes).backward()
        nn.utils.clip_grad_norm_(parameters, 1)
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    seconds = seconds[a.warmup:]
    print(json.dumps({
        "peer": f"torch {torch.__version__}", "cell": a.cell, "mode": a.mode, "hidden": a.hidden,
        "batch": a.batch, "time": a.time, "input": a.input, **more,
        "seconds_per_step": statistics.median(seconds), "fastest": min(seconds),
        "slowest": max(seconds)}))


def reference(path):
    """The module cells_ref.py."""
    spec = importlib.util.spec_from_file_location("cells_ref", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(a, cell, expected):
    """Prints the largest differences of last state and gradients from a reference in Double.

    expected(parameters, x) gives the last state from the cell's own parameters, by name, so that
    both are differentiated by the same tensors.
    """
    cell = cell.double()
    for p in cell.parameters():
        nn.init.normal_(p, std=0.4)
    layer = torch.jit.script(cell) if a.mode == "script" else cell
    parameters = dict(cell.named_parameters())
    x = torch.randn(a.time, a.batch, a.input, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(a.batch, a.hidden, dtype=torch.float64)
    tensors = [x] + list(parameters.values())
    own = layer(x)
    h = expected(parameters, x)
    difference = max(
        ((m - n).abs().max() / n.abs().max().clamp(min=1e-30)).item()
        for m, n in zip(torch.autograd.grad((own * weights).sum(), tensors),
                        torch.autograd.grad((h * weights).sum(), tensors)))
    print(json.dumps({
        "cell": a.cell, "mode": a.mode, "output": (own - h).abs().max().item(),
        "gradients, relative": difference}))
