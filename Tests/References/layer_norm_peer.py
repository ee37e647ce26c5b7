# SPDX-License-Identifier: Apache-2.0

"""Times PyTorch on a training step of a normalised cell, to compare with `bench step`.

Cells of layer normalisation (Ba, Kiros and Hinton, 2016) and of assorted-time normalisation, whose
statistics are over the last k pre-activations and all features, step by step as people write them:
`ln_rnn`, `ln_lstm`, `atn_rnn`, `atn_lstm`, and `momentum_lstm`, whose input goes through the velocity
v <- mu v + epsilon (W x + b) before its window. Statistics come from running sums over the window,
and gradients flow into all of it. What depends on the input alone is computed for all steps at once.

    python3 layer_norm_peer.py --cell ln_lstm --mode script --hidden 128 --batch 128 --time 784
    python3 layer_norm_peer.py --cell momentum_lstm --window 20 --hidden 256
    python3 layer_norm_peer.py --cell atn_lstm --window 3 --time 9 --batch 4 --hidden 5 \
        --check cells_ref.py
"""
from typing import List

import torch
from torch import Tensor, nn

import peer

MU, EPSILON = 0.6, 0.6


class Norm(nn.Module):
    """ATN(k) of D features: one window over time, empty at the start of a sequence."""

    def __init__(self, features: int, window: int):
        super().__init__()
        self.window = window
        self.gain = nn.Parameter(torch.ones(features))
        self.shift = nn.Parameter(torch.zeros(features))

    def all(self, z: Tensor) -> Tensor:
        """All steps at once, [T, N, D]."""
        k, D = self.window, z.size(2)
        if k == 1:
            return nn.functional.layer_norm(z, [D], self.gain, self.shift, 1e-5)
        sums = torch.stack((z.sum(2), (z * z).sum(2))).cumsum(1)
        if z.size(0) > k:
            sums = torch.cat((sums[:, :k], sums[:, k:] - sums[:, :-k]), 1)
        count = torch.arange(1, z.size(0) + 1, dtype=z.dtype).clamp(max=k).unsqueeze(1) * D
        mean = sums[0] / count
        root = torch.rsqrt(sums[1] / count - mean * mean + 1e-5)
        return (z - mean.unsqueeze(2)) * root.unsqueeze(2) * self.gain + self.shift

    def forward(self, z: Tensor, past: List[Tensor], total: Tensor) -> Tensor:
        """One step, [N, D]; `past` holds the sums of its window, `total` their sum before it."""
        if self.window == 1:
            return nn.functional.layer_norm(z, [z.size(1)], self.gain, self.shift, 1e-5)
        mean, square = (total / (len(past) * z.size(1))).unbind(0)
        root = torch.rsqrt(square - mean * mean + 1e-5)
        return (z - mean.unsqueeze(1)) * root.unsqueeze(1) * self.gain + self.shift

    def push(self, z: Tensor, past: List[Tensor], total: Tensor) -> Tensor:
        """Adds a step to the window, and returns the sums over it, [2, N]."""
        if self.window == 1:
            return total
        sums = torch.stack((z.sum(1), (z * z).sum(1)))
        past.append(sums)
        total = total + sums
        if len(past) > self.window:
            total = total - past.pop(0)
        return total


class NormalisedRNN(nn.Module):
    def __init__(self, inputs: int, hidden: int, window: int):
        super().__init__()
        self.hidden = hidden
        self.weight_ih = nn.Parameter(torch.randn(hidden, inputs) / hidden**0.5)
        self.weight_hh = nn.Parameter(torch.eye(hidden))
        self.norm = Norm(hidden, window)

    def forward(self, x: Tensor) -> Tensor:
        # unbind, because the gradient of from_input[t] would be as large as from_input at every
        # step
        from_input = (x @ self.weight_ih.t()).unbind(0)
        h = x.new_zeros(x.size(1), self.hidden)
        past: List[Tensor] = []
        total = x.new_zeros(2, x.size(1))
        for g in from_input:
            z = g + h @ self.weight_hh.t()
            total = self.norm.push(z, past, total)
            h = torch.tanh(self.norm(z, past, total))
        return h


class NormalisedLSTM(nn.Module):
    def __init__(self, inputs: int, hidden: int, window: int, momentum: bool):
        super().__init__()
        self.hidden = hidden
        self.momentum = momentum
        self.input = nn.Linear(inputs, 4 * hidden)
        self.recurrent = nn.Linear(hidden, 4 * hidden)
        with torch.no_grad():
            self.recurrent.weight.copy_(torch.eye(hidden).repeat(4, 1))
        self.norm_ih = Norm(4 * hidden, window)
        self.norm_hh = Norm(4 * hidden, window)
        self.norm_c = Norm(hidden, window)
        self.mu, self.epsilon = MU, EPSILON

    def drive(self, g: Tensor) -> Tensor:
        if not self.momentum:
            return g
        v = torch.zeros_like(g[0])
        all: List[Tensor] = []
        for step in g.unbind(0):
            v = self.mu * v + self.epsilon * step
            all.append(v)
        return torch.stack(all)

    def forward(self, x: Tensor) -> Tensor:
        from_input = self.norm_ih.all(self.drive(self.input(x))).unbind(0)
        h = x.new_zeros(x.size(1), self.hidden)
        c = x.new_zeros(x.size(1), self.hidden)
        past_h: List[Tensor] = []
        past_c: List[Tensor] = []
        total_h = x.new_zeros(2, x.size(1))
        total_c = x.new_zeros(2, x.size(1))
        for gates in from_input:
            z = self.recurrent(h)
            total_h = self.norm_hh.push(z, past_h, total_h)
            f, i, o, g = (gates + self.norm_hh(z, past_h, total_h)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            total_c = self.norm_c.push(c, past_c, total_c)
            h = torch.sigmoid(o) * torch.tanh(self.norm_c(c, past_c, total_c))
        return h


def expected(a, k):
    """The last state from the reference, with the parameters of the modules above."""
    R = peer.reference(a.check)

    def rnn(p, x):
        q = {"W_ih": p["weight_ih"], "W_hh": p["weight_hh"], "gain": p["norm.gain"],
             "shift": p["norm.shift"]}
        h = x.new_zeros(x.size(1), a.hidden)
        return R.run(R.atn_rnn, q, x, {"h": h}, {"k": k})[0][-1]

    def lstm(p, x):
        q = {"W_ih": p["input.weight"].t(), "W_hh": p["recurrent.weight"].t(),
             "b_ih": p["input.bias"], "b_hh": p["recurrent.bias"]}
        for own, name in [("ih", "norm_ih"), ("hh", "norm_hh"), ("c", "norm_c")]:
            q[f"gain_{own}"], q[f"shift_{own}"] = p[f"{name}.gain"], p[f"{name}.shift"]
        zeros = x.new_zeros(x.size(1), a.hidden)
        state = {"h": zeros, "c": zeros}
        if a.cell != "momentum_lstm":
            return R.run(R.atn_lstm, q, x, state, {"k": k})[0][-1]
        # The reference has no such cell: its drive, then its LSTM on the velocity as the input.
        v, velocity = {"v": x.new_zeros(x.size(1), 4 * a.hidden)}, []
        for step in x:
            _, v = R.drive("momentum", step @ q["W_ih"] + q["b_ih"], v,
                           {"mu": MU, "epsilon": EPSILON}, 0)
            velocity.append(v["v"])
        q["W_ih"], q["b_ih"] = torch.eye(4 * a.hidden, dtype=x.dtype), torch.zeros_like(q["b_ih"])
        return R.run(R.atn_lstm, q, torch.stack(velocity), state, {"k": k})[0][-1]

    return rnn if a.cell.endswith("rnn") else lstm


def main():
    a = peer.arguments(
        __doc__, ["ln_lstm", "ln_rnn", "atn_rnn", "atn_lstm", "momentum_lstm"], window=20)
    k = 1 if a.cell.startswith("ln") else a.window
    if a.cell.endswith("rnn"):
        cell = NormalisedRNN(a.input, a.hidden, k)
    else:
        cell = NormalisedLSTM(a.input, a.hidden, k, a.cell == "momentum_lstm")
    if a.check:
        peer.check(a, cell, expected(a, k))
    else:
        peer.measure(a, cell, window=k)


if __name__ == "__main__":
    main()
