"""Times PyTorch on a training step of a normalised cell, to stand beside `bench step`.

The step of sequential MNIST: N sequences of T steps of C numbers, one layer of H units, a linear
read-out of the last state, cross-entropy, backward, clipping to 1, RMSprop. The cells are those of
`ln_rnn` and `ln_lstm` (Ba, Kiros and Hinton, 2016), step by step as people write them, or the same
loop compiled by TorchScript. One thread, denormals flushed.

    python3 layer_norm_peer.py --cell ln_lstm --mode script --hidden 128 --batch 128 --time 784
"""
import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LayerNormRNN(nn.Module):
    def __init__(self, inputs: int, hidden: int):
        super().__init__()
        self.hidden = hidden
        self.weight_ih = nn.Parameter(torch.randn(hidden, inputs) / hidden**0.5)
        self.weight_hh = nn.Parameter(torch.eye(hidden))
        self.norm = nn.LayerNorm(hidden)

    def forward(self, x: Tensor) -> Tensor:
        # unbind, for the gradient of from_input[t] would be as large as from_input at every step
        from_input = (x @ self.weight_ih.t()).unbind(0)
        h = torch.zeros(x.size(1), self.hidden)
        for g in from_input:
            h = torch.tanh(self.norm(g + h @ self.weight_hh.t()))
        return h


class LayerNormLSTM(nn.Module):
    def __init__(self, inputs: int, hidden: int):
        super().__init__()
        self.hidden = hidden
        self.input = nn.Linear(inputs, 4 * hidden)
        self.recurrent = nn.Linear(hidden, 4 * hidden)
        with torch.no_grad():
            self.recurrent.weight.copy_(torch.eye(hidden).repeat(4, 1))
        self.norm_ih = nn.LayerNorm(4 * hidden)
        self.norm_hh = nn.LayerNorm(4 * hidden)
        self.norm_c = nn.LayerNorm(hidden)

    def forward(self, x: Tensor) -> Tensor:
        from_input = self.norm_ih(self.input(x)).unbind(0)
        h = torch.zeros(x.size(1), self.hidden)
        c = torch.zeros(x.size(1), self.hidden)
        for gates in from_input:
            f, i, o, g = (gates + self.norm_hh(self.recurrent(h))).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(self.norm_c(c))
        return h


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cell", choices=["ln_rnn", "ln_lstm"], default="ln_lstm")
    parser.add_argument("--mode", choices=["eager", "script"], default="eager")
    for name, value in [
        ("hidden", 128), ("input", 1), ("batch", 128), ("time", 784), ("classes", 10),
        ("repeats", 3), ("warmup", 1),
    ]:
        parser.add_argument(f"--{name}", type=int, default=value)
    a = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    cell = {"ln_rnn": LayerNormRNN, "ln_lstm": LayerNormLSTM}[a.cell](a.input, a.hidden)
    layer = torch.jit.script(cell) if a.mode == "script" else cell
    read_out = nn.Linear(a.hidden, a.classes)
    parameters = list(layer.parameters()) + list(read_out.parameters())
    optimizer = torch.optim.RMSprop(parameters, lr=1e-3, alpha=0.9)
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
        "batch": a.batch, "time": a.time, "seconds_per_step": statistics.median(seconds),
        "fastest": min(seconds), "slowest": max(seconds)}))


if __name__ == "__main__":
    main()
