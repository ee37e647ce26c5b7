#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes sequences of your own as an HDF5 file that momentum-dist reads as it is.

    python3 own_data.py waves.h5

The task: tell noisy sine waves, square waves and sawtooth waves apart. Lengths differ, so all steps
are rows of one dataset, and `begins` says where each sequence starts. Replace `make_sequences` by
your data.
"""
import argparse

import h5py
import numpy as np

CLASSES = ["sine", "square", "sawtooth"]


def make_sequences(count, rng):
    """A list of sequences [T, C], here with C = 2 channels, and their classes [N]."""
    sequences, classes = [], rng.integers(0, len(CLASSES), count)
    for label in classes:
        steps = rng.integers(20, 41)
        phase = rng.uniform(0, 1) + np.arange(steps) * rng.uniform(0.08, 0.12)
        wave = [
            np.sin(2 * np.pi * phase),
            np.sign(np.sin(2 * np.pi * phase)),
            2 * (phase % 1) - 1,
        ][label]
        channels = np.stack([wave, np.roll(wave, 1)], axis=1)
        sequences.append((channels + rng.normal(0, 0.3, channels.shape)).astype("float32"))
    return sequences, classes


def write_part(file, name, sequences, classes):
    """Writes a part: rows [F, C], the start of each sequence [N + 1], and labels [N]."""
    part = file.create_group(name)
    lengths = [len(sequence) for sequence in sequences]
    part["x"] = np.concatenate(sequences)
    part["begins"] = np.concatenate([[0], np.cumsum(lengths)]).astype("int64")
    part["y"] = classes.astype("int32")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("to", help="the HDF5 file to write")
    parser.add_argument("--count", type=int, default=600, help="training sequences")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    rng = np.random.default_rng(arguments.seed)
    parts = {"train": arguments.count, "validation": 150, "test": 150}
    with h5py.File(arguments.to, "w") as file:
        for name, count in parts.items():
            write_part(file, name, *make_sequences(count, rng))
    print(f"{arguments.to}: " + ", ".join(f"{count} {name}" for name, count in parts.items()))


if __name__ == "__main__":
    main()
