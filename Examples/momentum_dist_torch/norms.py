# SPDX-License-Identifier: Apache-2.0

"""Cells with layer normalisation or assorted-time normalisation."""
import torch
from torch.nn import functional as F

from .driven import Driven, gru


class Norm:
    """Layer normalisation, or over the last k steps together (Pospisil et al., 2022).

    y = (z - m) / sqrt(v + 1e-5) gain + shift, with m and the biased v over all units of z and of
    the k - 1 pre-activations before it.
    """

    def __init__(self, layer, ending, window):
        self.gain, self.shift = getattr(layer, "gain" + ending), getattr(layer, "shift" + ending)
        self.name, self.window = "window" + ending, window

    def __call__(self, z, state, carried):
        seen = (state.get(self.name, []) + [z])[-self.window:]
        carried[self.name] = seen
        seen = torch.stack(seen)
        m = seen.mean((0, 2))[:, None]
        v = ((seen - m) ** 2).mean((0, 2))[:, None]
        return (z - m) / torch.sqrt(v + 1e-5) * self.gain + self.shift


class Normalised(Driven):
    """A drive, norms and a body, as layer normalisation (Ba et al., 2016) or with windows.

    tanh:  h' = tanh(N(d + h W_hh))
    lstm:  f, i, o, g = N_x(d) + N_h(h W_hh + b_hh),  h' = s(o) tanh(N_c(c'))
    gru:   the GRU of N_x(d) and N_h(h W_hh + b_hh)
    """

    def __init__(self, tensors, settings, body, drive, windowed):
        super().__init__(tensors, settings, body, drive)
        self.window = settings.whole("model.window") if windowed else 1

    def prepare(self):
        endings = {"tanh": [""], "gru": ["_ih", "_hh"], "lstm": ["_ih", "_hh", "_c"]}[self.body]
        self.norms = [Norm(self, ending, self.window) for ending in endings]

    def step(self, x, state, t, time):
        h = state["h"]
        g = F.linear(x, self.weight_ih, getattr(self, "bias_ih", None))
        d, carried = self.drive(g, state, t)
        a = F.linear(h, self.weight_hh, getattr(self, "bias_hh", None))
        if self.body == "tanh":
            h = torch.tanh(self.norms[0](d + a, state, carried))
            return h, {"h": h, **carried}
        d, a = self.norms[0](d, state, carried), self.norms[1](a, state, carried)
        if self.body == "gru":
            h = gru(d, a, h)
            return h, {"h": h, **carried}
        f, i, o, g = (d + a).chunk(4, 1)
        c = torch.sigmoid(f) * state["c"] + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(self.norms[2](c, state, carried))
        return h, {"h": h, "c": c, **carried}
