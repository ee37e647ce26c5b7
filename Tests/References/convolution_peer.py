# SPDX-License-Identifier: Apache-2.0

"""Times PyTorch on a training step of a convolutional cell, to compare with `bench step`.

`conv_lstm` is the ConvLSTM without peepholes, one convolution of input and state for its four gates;
`rgc` is the reciprocal gated cell of Nayebi et al. (NeurIPS 2018), two convolutions of each state,
whose input has as many channels as its states. The convolutions of the input of all steps are one
call. The read-out sees the whole last map.

    python3 convolution_peer.py --cell conv_lstm --hidden 32 --input 32 --batch 16 --time 8
    python3 convolution_peer.py --cell rgc --mode script --hidden 32 --input 32 --batch 16 --time 8
    python3 convolution_peer.py --cell rgc --hidden 3 --input 3 --height 5 --width 4 --batch 2 \
        --time 4 --check cells_ref.py
"""
import copy

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, elu

import peer


class ConvLSTM(nn.Module):
    def __init__(self, inputs: int, hidden: int, height: int, width: int, kernel: int):
        super().__init__()
        self.hidden, self.height, self.width, self.inputs = hidden, height, width, inputs
        self.pad = kernel // 2
        scale = (inputs * kernel * kernel) ** -0.5
        self.weight_ih = nn.Parameter(scale * torch.randn(4 * hidden, inputs, kernel, kernel))
        self.weight_hh = nn.Parameter(scale * torch.randn(4 * hidden, hidden, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(4 * hidden))

    def forward(self, x: Tensor) -> Tensor:
        T, N = x.size(0), x.size(1)
        maps = x.reshape(T * N, self.inputs, self.height, self.width)
        driven = conv2d(maps, self.weight_ih, self.bias, padding=self.pad)
        driven = driven.reshape(T, N, 4 * self.hidden, self.height, self.width)
        h = x.new_zeros(N, self.hidden, self.height, self.width)
        c = h
        for g in driven.unbind(0):
            i, j, f, o = (g + conv2d(h, self.weight_hh, padding=self.pad)).chunk(4, 1)
            c = c * torch.sigmoid(f) + torch.sigmoid(i) * torch.tanh(j)
            h = torch.tanh(c) * torch.sigmoid(o)
        return h.reshape(N, -1)


class ReciprocalGated(nn.Module):
    def __init__(self, inputs: int, hidden: int, height: int, width: int, kernel: int):
        super().__init__()
        assert inputs == hidden, "the input needs as many channels as the states"
        self.hidden, self.height, self.width = hidden, height, width
        self.pad = kernel // 2
        scale = (hidden * kernel * kernel) ** -0.5
        self.weight_hidden = nn.Parameter(scale * torch.randn(2 * hidden, hidden, kernel, kernel))
        self.weight_cell = nn.Parameter(scale * torch.randn(2 * hidden, hidden, kernel, kernel))

    def forward(self, x: Tensor) -> Tensor:
        N = x.size(1)
        h = x.new_zeros(N, self.hidden, self.height, self.width)
        c = h
        for step in x.unbind(0):
            drive = step.reshape(N, self.hidden, self.height, self.width)
            hc, hh = conv2d(h, self.weight_hidden, padding=self.pad).chunk(2, 1)
            cc, ch = conv2d(c, self.weight_cell, padding=self.pad).chunk(2, 1)
            after = elu((1 - torch.sigmoid(hc)) * drive + (1 - torch.sigmoid(cc)) * c)
            h = elu((1 - torch.sigmoid(ch)) * drive + (1 - torch.sigmoid(hh)) * h)
            c = after
        return h.reshape(N, -1)


def reference(a):
    """The same from the reference, with the same parameters."""
    cells = peer.reference(a.check)

    def run(p, x):
        H = a.hidden
        zeros = x.new_zeros(a.batch, H, a.height, a.width)
        state = {"h": zeros, "c": zeros}
        if a.cell == "rgc":
            (hc, hh), (cc, ch) = p["weight_hidden"].chunk(2), p["weight_cell"].chunk(2)
            own = {"W_hc": hc, "W_hh": hh, "W_cc": cc, "W_ch": ch}
        else:
            own = {"W": torch.cat((p["weight_ih"], p["weight_hh"]), 1), "b": p["bias"]}
        for t in range(a.time):
            step = x[t].reshape(a.batch, a.input, a.height, a.width)
            _, state = getattr(cells, a.cell)(own, step, state, {"forget_bias": 0.0}, t)
        return state["h"].reshape(a.batch, -1)

    return run


if __name__ == "__main__":
    a = peer.arguments(
        __doc__, ["conv_lstm", "rgc"], time=8, batch=16, hidden=32, input=32, height=28, width=28,
        kernel=3)
    family = ConvLSTM if a.cell == "conv_lstm" else ReciprocalGated
    cell = family(a.input, a.hidden, a.height, a.width, a.kernel)
    # The shared code sees a map as a row of numbers.
    rows = copy.copy(a)
    rows.input, rows.hidden = (n * a.height * a.width for n in (a.input, a.hidden))
    if a.check:
        peer.check(rows, cell, reference(a))
    else:
        peer.measure(rows, cell, map=[a.height, a.width], channels=[a.input, a.hidden])
