#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Computes the figures of `momentum-dist evaluate` from what `predict` wrote, with numpy.

    python3 check_figures.py .build/debug/momentum-dist [TASK...]

For each task it makes a small data set, trains a few epochs, and compares every figure of
`evaluate --json` with its own. It works in the current folder, prints a line for each figure, and
ends with 1 if one differs or is not computed here. A language model is not in it: `predict` has no
texts, and check_torch.py computes its loss from an export.
"""
import json
import subprocess
import sys

import h5py
import numpy as np

# What `evaluate --json` prints besides figures of the answers.
TOLD = {
    "step", "epoch", "split", "checkpoint", "sequences", "elements", "chance_loss",
    "chance_meaning", "confusion", "class_names", "metrics", "forecasts"}
PARTS = {"train": 96, "validation": 24, "test": 48}
NEURONS, HELD_OUT = 5, 2


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{arguments}: {done.stderr}")
    return done.stdout


# Data: a function for each task writes a file and returns its settings.


def ragged(rng, count, features):
    lengths = rng.integers(4, 10, count)
    begins = np.concatenate([[0], np.cumsum(lengths)])
    return rng.normal(3, 2, (begins[-1], features)).astype(np.float32), begins


def own_file(path, targets):
    """Sequences of unequal lengths; the targets follow from sums of the inputs."""
    rng = np.random.default_rng(7)
    with h5py.File(path, "w") as file:
        for part, count in PARTS.items():
            x, begins = ragged(rng, count, 3)
            sums = np.add.reduceat(x - 3, begins[:-1]) + rng.normal(0, 1, (count, 3))
            file[f"{part}/x"], file[f"{part}/begins"] = x, begins
            file[f"{part}/y"] = targets(x, sums)
    return {
        "dataset.inputs": "{part}/x", "dataset.targets": "{part}/y",
        "dataset.offsets": "{part}/begins", "dataset.normalize": "features"}


def classification(program, path):
    # Seven classes, unequally frequent.
    def classes(x, sums):
        return np.clip(np.round(sums[:, 0] / 2) + 3, 0, 6).astype(np.int32)
    return own_file(path, classes)


def regression(program, path):
    return own_file(path, lambda x, sums: (5 + sums / 4).astype(np.float32))


def multilabel(program, path):
    return own_file(path, lambda x, sums: (sums > [[0, 2, -2]]).astype(np.int32))


def tagging(program, path):
    return own_file(path, lambda x, sums: ((x[:, 0] > 3).astype(np.int32) + (x[:, 1] > 5)))


def generated(*options):
    def make(program, path):
        kind = path.removesuffix(".h5")
        run(program, "prepare", kind, "--steps", 9, "--train", 96, "--validation", 24,
            "--test", 48, "--to", path, *options)
        return {}
    return make


def forecast(program, path):
    t = np.arange(220)
    with open("series.csv", "w") as file:
        file.write("t,flow,level\n")
        for row in t:
            file.write(f"{row},{40 * np.sin(row / 3) + row % 7},{500 + 9 * np.cos(row / 5)}\n")
    run(program, "prepare", "series", "--time", "t", "--from", "series.csv", "--to", path)
    return {"dataset.window": 16, "dataset.horizon": 3}


def next_frame(program, path):
    rng = np.random.default_rng(8)
    with h5py.File(path, "w") as file:
        file.attrs["task"], file.attrs["format_version"] = "next_frame", 1
        for part, count in PARTS.items():
            file[f"{part}/inputs"], file[f"{part}/offsets"] = ragged(rng, count, 3)
    return {}


def masked_spikes(program, path):
    rng = np.random.default_rng(9)
    with h5py.File(path, "w") as file:
        file.attrs["task"], file.attrs["format_version"] = "masked_spikes", 1
        file.attrs["held_out"] = HELD_OUT
        for part, count in PARTS.items():
            phase = rng.uniform(0, 6, (count, 1, 1))
            rates = np.exp(np.sin(phase + np.arange(12)[:, None] / 2 + np.arange(NEURONS)) - 0.5)
            file[f"{part}/spikes"] = rng.poisson(rates).astype(np.uint8)
    return {}


# Figures: from the answers of `predict` and the targets of the file.


def class_scores(actual, predicted, right):
    seen = actual + predicted > 0
    occurs = actual > 0
    return {
        "macro_f1": np.mean(2 * right[seen] / (actual + predicted)[seen]),
        "balanced_accuracy": np.mean(right[occurs] / actual[occurs])}


def auc(p, is_it):
    """P(p of one that is > p of one that is not) + half of P(they are equal)."""
    yes, no = p[is_it][:, None], p[~is_it][None]
    return np.mean((yes > no) + 0.5 * (yes == no)) if yes.size and no.size else np.nan


def class_figures(p, classes, truth, judged=None):
    """Of probabilities [R, K], answered classes [R] and true ones [R]."""
    K = p.shape[1]
    judged = np.ones(len(truth), bool) if judged is None else judged
    counts = [np.bincount(rows, minlength=K).astype(float)
              for rows in (truth, classes, truth[truth == classes])]
    own = p[np.arange(len(truth)), truth].astype(float)
    figures = {
        "loss": -np.mean(np.log(own)), "accuracy": np.mean((classes == truth)[judged]),
        "auc": np.nanmean([auc(p[:, k], truth == k) for k in range(K)])}
    figures |= class_scores(*counts)
    if K > 5:
        order = np.argsort(-p, axis=1, kind="stable")[:, :5]
        figures["top_5_accuracy"] = np.mean((order == truth[:, None]).any(1))
    return figures


def value_figures(y, truth, scale):
    """Of values [R, K]; the loss is that of targets divided by the scale."""
    error = y.astype(float) - truth
    variation = ((truth - truth.mean(0)) ** 2).sum(0)
    varies = variation > 0
    return {
        "loss": np.mean((error / scale) ** 2), "mae": np.mean(np.abs(error)),
        "r2": np.mean(1 - (error ** 2).sum(0)[varies] / variation[varies])}


def flat(array, lengths):
    """The valid steps of padded sequences [N, T, ...]."""
    return np.concatenate([row[:length] for row, length in zip(array, lengths)])


def figures(task, data, answers):
    """All figures of a task by key."""
    def lengths(name):
        return np.diff(data[f"test/{name}"][:])

    if task == "classification":
        return class_figures(answers["probabilities"][:], answers["class"][:], data["test/y"][:])
    if task == "tagging":
        T = lengths("begins")
        return class_figures(
            flat(answers["probabilities"][:], T), flat(answers["class"][:], T), data["test/y"][:])
    if task in ("copying", "denoise"):
        truth = data["test/targets"][:].reshape(-1).astype(int)
        p = answers["probabilities"][:]
        # The accuracy is that of symbols to be recalled; the blank is class 0.
        known = class_figures(
            p.reshape(-1, p.shape[-1]), answers["class"][:].reshape(-1), truth, truth != 0)
        return {key: known[key] for key in ("loss", "accuracy")}
    if task == "multilabel":
        p, truth = answers["probabilities"][:].astype(float), data["test/y"][:]
        said = p > 0.5
        scores = class_scores(*(rows.sum(0).astype(float) for rows in (truth, said, truth & said)))
        return {
            "loss": -np.mean(np.where(truth == 1, np.log(p), np.log1p(-p))),
            "macro_f1": scores["macro_f1"], "label_accuracy": np.mean(said == truth),
            "subset_accuracy": np.mean((said == truth).all(1)),
            "auc": np.nanmean([auc(p[:, k], truth[:, k] == 1) for k in range(p.shape[1])])}
    if task in ("adding", "regression"):
        y = answers["values"][:]
        truth = data["test/y" if task == "regression" else "test/targets"][:].reshape(y.shape)
        known = value_figures(y, truth.astype(float), 1)
        if task == "adding":
            return {"loss": known["loss"]}
        return known | each_error(y - truth, [f"value {k}" for k in range(y.shape[1])])
    if task == "forecast":
        return forecast_figures(data, answers)
    if task == "next_frame":
        T = lengths("offsets")
        sequences = np.split(data["test/inputs"][:], np.cumsum(T)[:-1])
        errors = [said[:len(x) - 1] - x[1:].astype(float)
                  for said, x in zip(answers["predictions"][:], sequences)]
        return {"loss": np.mean(np.concatenate(errors) ** 2)}
    if task == "masked_spikes":
        return spike_figures(data, answers)
    sys.exit(f"{task}: no figures for this task")


def each_error(error, names):
    return {f"mae of {name}": np.mean(np.abs(error[..., k])) for k, name in enumerate(names)}


def forecast_figures(data, answers):
    """The windows of `make_windows`, whose next steps are known."""
    y, truth = answers["forecast"][:], np.load("truth.npy")
    scale = np.load("scale.npy")
    known = value_figures(
        y.reshape(len(y), -1), truth.reshape(len(y), -1), np.tile(scale, y.shape[1]))
    return known | each_error(y - truth, ["flow", "level"])


def make_windows(data_path):
    """Writes the windows whose forecasts are in the test part, in the unit of the series."""
    window, horizon = 16, 3
    rows = np.genfromtxt("series.csv", delimiter=",", skip_header=1)[:, 1:]
    with h5py.File(data_path) as file:
        # The steps before those of the test part are in the file too.
        first, scale = file["validation/inputs"].shape[0], file["feature_std"][:]
    ends = np.arange(first, len(rows) - horizon + 1)
    np.save("truth.npy", np.stack([rows[end:end + horizon] for end in ends]))
    np.save("scale.npy", scale)
    with h5py.File("windows.h5", "w") as file:
        file["x"] = np.stack([rows[end - window:end] for end in ends]).astype(np.float32)
    return "windows.h5"


def spike_figures(data, answers):
    counts, rates = data["test/spikes"][:].astype(float), answers["rates"][:].astype(float)
    means = data["train/spikes"][:].mean((0, 1))

    def bits(neurons):
        k, rate, mean = counts[..., neurons], rates[..., neurons], means[neurons]
        gain = (k * np.log(rate) - rate) - (k * np.log(mean) - mean)
        return gain.sum() / (np.log(2) * k.sum())

    return {
        "loss": np.mean(rates - counts * np.log(rates)),
        "bits_per_spike": bits(slice(0, NEURONS - HELD_OUT)),
        "co_smoothing": bits(slice(NEURONS - HELD_OUT, NEURONS))}


TASKS = {
    "adding": generated(), "copying": generated("--symbols", 2, "--alphabet", 2),
    "denoise": generated("--symbols", 2, "--alphabet", 2),
    "classification": classification, "regression": regression, "multilabel": multilabel,
    "tagging": tagging, "forecast": forecast, "next_frame": next_frame,
    "masked_spikes": masked_spikes}


def check(program, task):
    """Whether all figures of a task are equal."""
    data, answers, folder = f"{task}.h5", f"{task}-answers.h5", f"{task}-run"
    settings = TASKS[task](program, data) | {
        "dataset.task": task, "dataset.file": data, "model.cell": "gru", "model.hidden_size": 8,
        "epochs": 12, "batch_size": 8, "optimizer.learning_rate": 0.02}
    run(program, "train", "--output", folder,
        *(word for key, value in settings.items() for word in ("--set", f"{key}={value}")))
    source = make_windows(data) if task == "forecast" else data
    run(program, "predict", folder, source, "--to", answers)
    told = json.loads(run(program, "evaluate", folder, "--json"))
    told |= {f"mae of {each['name']}": each["mae"] for each in told.pop("value_errors", [])}
    with h5py.File(data) as file, h5py.File(answers) as output:
        own = figures(task, file, output)
    isEqual = True
    for key in sorted((told.keys() | own.keys()) - TOLD):
        pair = told.get(key), own.get(key)
        # Answers are stored in 32 bits.
        good = None not in pair and abs(pair[0] - pair[1]) <= 2e-6 + 2e-5 * abs(pair[1])
        isEqual &= good
        shown = ["-" if value is None else f"{value:.8g}" for value in pair]
        print(f"{task:16}{key:20}{shown[0]:>16}{shown[1]:>16}  {'equal' if good else 'DIFFERENT'}")
    return isEqual


def main():
    program, *tasks = sys.argv[1:]
    results = [check(program, task) for task in tasks or TASKS]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
