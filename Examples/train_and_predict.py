#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains on the file of own_data.py in a subprocess, then measures and predicts.

    python3 train_and_predict.py waves.h5 runs/waves --ranks 2
"""
import argparse
import json
import os
import subprocess
import sys

import h5py
import numpy as np

CLASSES = ["sine", "square", "sawtooth"]
STOPPED_AND_SAVED = 75  # the exit status of a run that a signal stopped


def settings(data, epochs):
    """The configuration: the data and the model. `train --list-keys` prints all keys."""
    values = {
        "dataset.task": "classification",
        "dataset.file": data,
        "dataset.inputs": "{part}/x",
        "dataset.targets": "{part}/y",
        "dataset.offsets": "{part}/begins",
        "model.cell": "momentum_lstm",
        "model.hidden_size": 32,
        "optimizer.learning_rate": 0.01,
        "batch_size": 32,
        "epochs": epochs,
        "log.every_steps": 5,
    }
    return [word for key, value in values.items() for word in ("--set", f"{key}={value}")]


def train(program, data, run, ranks, epochs):
    """Trains to the end, and resumes if the run was stopped and saved."""
    launcher = ["mpirun", "--oversubscribe", "-np", str(ranks)] if ranks > 1 else []
    command = launcher + [program, "train", "--output", run] + settings(data, epochs)
    if os.path.exists(os.path.join(run, "checkpoints", "latest")):
        command.append("--resume")
    status = subprocess.run(command).returncode
    if status == STOPPED_AND_SAVED and "--resume" not in command:
        status = subprocess.run(command + ["--resume"]).returncode
    if status != 0:
        sys.exit(status)  # the program has printed one line that says what, where and what to do


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="the file that own_data.py wrote")
    parser.add_argument("run", help="the run's folder")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--program", default="momentum-dist")
    arguments = parser.parse_args()
    program, run = arguments.program, arguments.run

    train(program, arguments.data, run, arguments.ranks, arguments.epochs)

    # The results, as one JSON object.
    evaluation = subprocess.run(
        [program, "evaluate", run, "--json"], check=True, capture_output=True, text=True)
    measured = json.loads(evaluation.stdout)
    print(f"test accuracy {measured['accuracy']:.3f}")

    # The answers for the test part, with the probability of each class.
    answers = os.path.join(run, "answers.h5")
    subprocess.run([program, "predict", run, arguments.data, "--to", answers], check=True)
    with h5py.File(answers) as file, h5py.File(arguments.data) as data:
        predicted, truth = file["class"][:], data["test/y"][:]
    table = np.zeros((len(CLASSES), len(CLASSES)), int)
    np.add.at(table, (truth, predicted), 1)
    print("rows: the class; columns: the answer:", ", ".join(CLASSES))
    print(table)


if __name__ == "__main__":
    main()
