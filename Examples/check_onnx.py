#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what onnxruntime computes from an export with what `momentum-dist predict` wrote.

    momentum-dist export runs/waves --checkpoint best --to waves.onnx
    momentum-dist predict runs/waves waves.h5 --to answers.h5
    python3 check_onnx.py waves.onnx answers.h5 waves.h5

It checks the file, runs all sequences at once, one alone, and all in two pieces with the states
carried between them, prints the largest difference of each, and ends with 1 if one is above
--limit. It needs onnx, onnxruntime, numpy and h5py, and no torch.
"""
import argparse
import json
import sys

import h5py
import numpy as np
import onnx
import onnxruntime


def padded(rows, begins):
    """Rows [F, C] as sequences [N, T, C], and their lengths."""
    lengths = np.diff(begins)
    x = np.zeros((len(lengths), lengths.max(), *rows.shape[1:]), rows.dtype)
    for n, begin in enumerate(begins[:-1]):
        x[n, :lengths[n]] = rows[begin:begin + lengths[n]]
    return x, lengths


def read(path, part, settings, data):
    """Inputs of a file of HDF5 as the graph takes them, and lengths."""
    def name(key):
        return settings[f"dataset.{key}"].replace("{part}", part)

    with h5py.File(path) as file:
        x = file[name("inputs")][:]
        begins = file[name("offsets")][:] if name("offsets") in file else None
    lengths = None
    if begins is not None:
        x, lengths = padded(x, begins)
    view = settings["dataset.view"] if settings["dataset.task"] == "classification" else "rows"
    whole = np.issubdtype(x.dtype, np.integer)
    scaling = data.get("meaning", {}).get("scaling", 1.0)
    if view == "image" and x.dtype == np.uint8:
        scaling = 1 / 255
    x = (x * scaling if whole else x).astype(np.float32)
    if view == "image":
        steps, seen = int(settings["dataset.image_steps"]), int(settings["dataset.shown_steps"])
        x = x if x.ndim == 4 else x[..., None]
        x = np.repeat(x[:, None], steps, 1)
        if seen:
            x[:, seen:] = float(settings["dataset.grey"])
    elif x.ndim == 2:
        x = x[..., None]
    return x, lengths


class Session:
    """A file of ONNX that was checked."""

    def __init__(self, path):
        onnx.checker.check_model(path, full_check=True)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # not that inputs have defaults
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"])
        self.inputs = [value.name for value in self.session.get_inputs()]
        self.inputs += [v.name for v in self.session.get_overridable_initializers()]
        self.outputs = [value.name for value in self.session.get_outputs()]
        properties = onnx.load(path).metadata_props
        self.metadata = {entry.key: entry.value for entry in properties}

    def run(self, x, lengths=None, state=None):
        """The outputs by name; a state is what a run before it gave."""
        feeds = {"inputs": x}
        if lengths is not None and "lengths" in self.inputs:
            feeds["lengths"] = np.asarray(lengths, np.int64)
        if state is not None:
            feeds.update({name[:-len("_next")]: values for name, values in state.items()
                          if name.endswith("_next")})
        return dict(zip(self.outputs, self.session.run(None, feeds)))


def last_steps(x, lengths, window):
    """The end of the series, which a forecast continues."""
    lengths = np.full(len(x), x.shape[1]) if lengths is None else lengths
    parts = [row[max(length - window, 0):length] for row, length in zip(x, lengths)]
    return padded(np.concatenate(parts), np.cumsum([0] + [len(part) for part in parts]))


def difference(own, known):
    """The largest, as a share of 1 or, above it, of the number itself."""
    own, known = np.asarray(own, np.float64), np.asarray(known, np.float64)
    assert own.shape == known.shape, f"{own.shape}, not {known.shape}"
    return float(np.max(np.abs(own - known) / np.maximum(np.abs(known), 1), initial=0))


def compare(model, answers, x, lengths):
    """The largest differences by the way of running and the name of the answer."""
    largest = {}

    def note(way, name, own, known):
        key = way, name
        # Python's max would drop a NaN.
        largest[key] = float(np.maximum(largest.get(key, 0), difference(own, known)))

    whole = model.run(x, lengths)
    names = [name for name in whole if name in answers]
    states = [name for name in whole if name.endswith("_next") and name != "steps_next"]
    for name in names:
        note("all sequences", name, whole[name], answers[name])
    steps = x.shape[1]
    for n in range(min(3, len(x))):  # without what is beyond its end
        T = steps if lengths is None else lengths[n]
        alone = model.run(x[n:n + 1, :T], None if lengths is None else [T])
        for name in names:
            known = answers[name][n:n + 1]
            per_step = known.ndim > 1 and known.shape[1] == steps and name != "probabilities"
            per_step = per_step or known.ndim > 2
            note("one sequence", name, alone[name], known[:, :T] if per_step else known)
        for name in states:  # a state stays as it is beyond the end
            note("one sequence", name, alone[name], whole[name][n:n + 1])
    if any(name.endswith("_next") for name in model.outputs):
        # Every sequence has these steps, so that nothing is beyond an end.
        T = steps if lengths is None else int(min(lengths))
        ends = None if lengths is None else np.full(len(x), T)
        straight = model.run(x[:, :T], ends)
        first = model.run(x[:, :T // 2], None if ends is None else ends // 2)
        rest = None if ends is None else ends - ends // 2
        second = model.run(x[:, T // 2:T], rest, first)
        takes_mean = "mean" in json.loads(model.metadata["configuration"])["model.pooling"]
        for name in straight:
            if takes_mean and not name.endswith("_next"):
                continue  # a mean over a piece is none over the whole
            is_every_step = name in names and answers[name].ndim > 1 + (name != "class")
            if is_every_step and len(straight[name].shape) > 1 and straight[name].shape[1] == T:
                pieces = np.concatenate([first[name], second[name]], 1)
            else:
                pieces = second[name]
            if pieces.shape == straight[name].shape:
                note("in two pieces", name, pieces, straight[name])
    return largest


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("export", help="what `export` wrote")
    parser.add_argument("predictions", help="what `predict` wrote, as .h5")
    parser.add_argument("data", help="the HDF5 file that was predicted")
    parser.add_argument("--split", default="test", help="the part of it (default: test)")
    parser.add_argument("--normalised", action="store_true",
                        help="the numbers of the file are normalised already")
    parser.add_argument("--state", help="what `predict --state-to` wrote, to compare too")
    parser.add_argument("--limit", type=float, default=1e-5)
    arguments = parser.parse_args()
    model = Session(arguments.export)
    settings = json.loads(model.metadata["configuration"])
    data = json.loads(model.metadata.get("data", "{}"))
    x, lengths = read(arguments.data, arguments.split, settings, data)
    if settings["dataset.task"] == "forecast":
        x, ends = last_steps(x, lengths, int(settings["dataset.window"]))
        lengths = ends if "lengths" in model.inputs else None
    if arguments.normalised:  # which the graph does itself
        known = data["meaning"]["statistics"]
        x = (x * np.array(known["deviation"]) + np.array(known["mean"])).astype(np.float32)
    with h5py.File(arguments.predictions) as file:
        answers = {name: file[name][:] for name in file if isinstance(file[name], h5py.Dataset)}
    largest = compare(model, answers, x, lengths)
    if arguments.state:
        after = model.run(x, lengths)
        with h5py.File(arguments.state) as file:
            for name, known in file["state"].items():
                if f"{name}_next" in after:
                    own = after[f"{name}_next"]
                    largest["state", name] = difference(own, known[:].reshape(own.shape))
    for (way, name), value in largest.items():
        print(f"{way:14} {name:18} {value:.1e}")
    has_answers = any(name in answers for _, name in largest)
    sys.exit(0 if has_answers and all(
        value <= arguments.limit for value in largest.values()) else 1)


if __name__ == "__main__":
    main()
