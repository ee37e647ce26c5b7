#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares PyTorch's outputs for an export with those that `momentum-dist predict` wrote.

    momentum-dist export runs/waves --checkpoint best --to waves.safetensors
    momentum-dist predict runs/waves waves.h5 --to answers.h5
    python3 check_torch.py waves.safetensors answers.h5 waves.h5

It prints the largest difference of each field, computed in float32 and in float64, and ends with 1
if one of an answer in float64 is above --limit. Hidden states (`predict --hidden`) are compared
too, but some cells do not bound them, so that they have no limit. It needs torch, numpy and h5py.
"""
import argparse
import sys

import h5py
import numpy as np
import torch

from momentum_dist_torch import load


def padded(rows, begins):
    """Rows [F, C] as sequences [N, T, C], and their lengths."""
    lengths = np.diff(begins)
    x = np.zeros((len(lengths), lengths.max(), *rows.shape[1:]), rows.dtype)
    for n, begin in enumerate(begins[:-1]):
        x[n, :lengths[n]] = rows[begin:begin + lengths[n]]
    return x, lengths


def read(path, part, model):
    """The inputs, lengths and times of an HDF5 file, as they are stored."""
    def name(key):
        return model.settings.text(f"dataset.{key}").replace("{part}", part)

    with h5py.File(path) as file:
        x = file[name("inputs")][:]
        if "symbols" in file.attrs:  # stored as their numbers
            x = np.eye(int(file.attrs["symbols"]), dtype=np.float32)[x.astype(int)]
        times = file[name("times")][:] if name("times") in file else None
        begins = file[name("offsets")][:] if name("offsets") in file else None
    if begins is None:
        return x, None, times
    x, lengths = padded(x, begins)
    return x, lengths, None if times is None else padded(times, begins)[0]


def last_steps(x, lengths, window):
    """The end of the series, which a forecast continues."""
    lengths = np.full(len(x), x.shape[1]) if lengths is None else lengths
    parts = [row[max(length - window, 0):length] for row, length in zip(x, lengths)]
    return padded(np.concatenate(parts), np.cumsum([0] + [len(part) for part in parts]))


def shown(x, model):
    """Images as the model sees them: by rows, by pixels in some order, or whole in every step."""
    settings = model.settings
    view = settings.text("dataset.view")
    if model.task != "classification":
        return x
    if view == "image":
        steps, seen = settings.whole("dataset.image_steps"), settings.whole("dataset.shown_steps")
        images = np.repeat(x.reshape(len(x), 1, -1), steps, 1).astype(np.float64)
        if seen:
            images[:, seen:] = settings.number("dataset.grey")
        return images
    if view == "rows":
        return x.reshape(len(x), x.shape[1], -1)
    pixels = x.reshape(len(x), x.shape[1] * x.shape[2], -1)
    return pixels[:, model.pixel_order] if view == "permuted" else pixels


def in_folds(model, x, compute):
    """The outputs for x; for masked spikes, each step from the pass that hides it."""
    folds = model.settings.whole("masking.evaluation_folds")
    if model.task != "masked_spikes" or folds == 0:
        return compute(x)
    y = None
    for fold in range(folds):
        hidden = x.clone()
        hidden[:, fold::folds] = 0
        own = compute(hidden)
        y = torch.zeros_like(own) if y is None else y
        y[:, fold::folds] = own[:, fold::folds]
    return y


def differences(path, predictions, data, part, raw, dtype):
    """The largest difference of each field, relative to the number if that is above 1."""
    model = load(path, dtype)
    x, lengths, times = read(data, part, model)
    if model.task == "forecast":
        x, lengths = last_steps(x, lengths, model.settings.whole("dataset.window"))
    x = model.normalise(x) if raw else model.scaled(x)
    x = torch.from_numpy(np.ascontiguousarray(shown(x.numpy(), model)))
    if x.ndim == 2:
        x = x[..., None]
    with torch.no_grad():
        x = x.to(dtype)
        y = in_folds(model, x, lambda x: model(x, lengths, times))
        fields = model.answers(y, lengths)
        fields["hidden"] = in_folds(model, x, lambda x: model.hidden(x, None, lengths, times)[0])
    largest = {}
    for name, own in fields.items():
        if name not in predictions:
            continue
        own, known = own.double().numpy(), predictions[name][:].astype(np.float64)
        own = own[:, :known.shape[1]] if known.ndim > 1 else own
        if lengths is not None and known.ndim > 1 and known.shape[1] == x.shape[1]:
            inside = np.arange(x.shape[1]) < lengths[:, None]
            own, known = own[inside], known[inside]
        assert own.shape == known.shape, f"{name} is {known.shape}, not {own.shape}"
        largest[name] = float(np.max(np.abs(own - known) / np.maximum(np.abs(known), 1)))
    return largest


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("export", help="what `export` wrote")
    parser.add_argument("predictions", help="what `predict` wrote, as .h5")
    parser.add_argument("data", help="the HDF5 file that was predicted")
    parser.add_argument("--split", default="test", help="the part of it (default: test)")
    parser.add_argument("--raw", action="store_true", help="the numbers are not normalised yet")
    parser.add_argument("--limit", type=float, default=1e-6)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with h5py.File(arguments.predictions) as predictions:
        single, double = (
            differences(arguments.export, predictions, arguments.data, arguments.split,
                        arguments.raw, dtype) for dtype in (torch.float32, torch.float64))
    for name in double:
        print(f"{name:14} float32 {single[name]:.1e}  float64 {double[name]:.1e}")
    answers = [largest for name, largest in double.items() if name != "hidden"]
    sys.exit(0 if answers and all(value <= arguments.limit for value in answers) else 1)


if __name__ == "__main__":
    main()
