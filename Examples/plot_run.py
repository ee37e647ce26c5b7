#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads metrics.jsonl of one or several runs and draws their losses.

    python3 plot_run.py runs/waves --to waves.svg

With matplotlib the ending of --to selects the format (SVG, PNG, PDF). Without it, an SVG is written
by hand.
"""
import argparse
import json
import os
import sys


def read(run, split):
    """The steps and losses of a run's training or validation records."""
    steps, losses = [], []
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            if record["split"] == split:
                steps.append(record["step"])
                losses.append(record["loss"])
    return steps, losses


def draw_with_matplotlib(curves, path):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4))
    axes = figure.subplots()
    for name, steps, losses in curves:
        axes.plot(steps, losses, marker="o", markersize=3, label=name)
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("loss")
    axes.legend()
    figure.savefig(path)


def draw_by_hand(curves, path):
    """A plain SVG with one line per curve."""
    width, height, left, bottom = 640, 360, 60, 40
    most_steps = max(max(steps) for _, steps, _ in curves) or 1
    most_loss = max(max(losses) for _, _, losses in curves) or 1
    colours = ["#0072b2", "#d55e00", "#009e73", "#b3589a", "#a87900", "#555555"]

    def place(step, loss):
        x = left + (width - left - 20) * step / most_steps
        return f"{x:.1f},{height - bottom - (height - bottom - 20) * loss / most_loss:.1f}"

    lines = []
    for index, (name, steps, losses) in enumerate(curves):
        colour = colours[index % len(colours)]
        points = " ".join(place(*point) for point in zip(steps, losses))
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y in (place(*point).split(",") for point in zip(steps, losses)):
            lines.append(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>')
        lines.append(
            f'<text x="{width - 20}" y="{30 + 18 * index}" text-anchor="end" fill="{colour}">'
            f"{name}</text>")
    lines.append(
        f'<path d="M{left},20 V{height - bottom} H{width - 20}" fill="none" stroke="#63676f"/>'
        f'<text x="{left - 8}" y="24" text-anchor="end">{most_loss:.3g}</text>'
        f'<text x="{left - 8}" y="{height - bottom}" text-anchor="end">0</text>'
        f'<text x="{width - 20}" y="{height - 14}" text-anchor="end">step {most_steps}</text>')
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            ' font-family="sans-serif" font-size="13"><rect width="100%" height="100%"'
            ' fill="white"/>\n' + "\n".join(lines) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", help="folders of runs")
    parser.add_argument("--to", default="losses.svg", help="the picture to write")
    arguments = parser.parse_args()

    curves = []
    for run in arguments.runs:
        for split in ("train", "validation"):
            steps, losses = read(run, split)
            if steps:
                curves.append((f"{os.path.basename(os.path.normpath(run))}, {split}", steps, losses))
    if not curves:
        sys.exit("plot_run.py: the runs have no records yet")
    try:
        draw_with_matplotlib(curves, arguments.to)
    except ImportError:
        if not arguments.to.endswith(".svg"):
            sys.exit(f"plot_run.py: {arguments.to}: needs matplotlib; write a .svg, or install it")
        draw_by_hand(curves, arguments.to)
    print(f"{arguments.to}: {len(curves)} curves of {len(arguments.runs)} runs")


if __name__ == "__main__":
    main()
