# SPDX-License-Identifier: Apache-2.0

"""The base class of layers, and the settings that they read."""
import torch
from torch import nn


class Settings:
    """The resolved configuration: values as texts, under paths such as model.mu."""

    def __init__(self, values):
        self.values = values

    def text(self, path):
        return self.values[path]

    def number(self, path):
        return float(self.values[path])

    def whole(self, path):
        return int(self.values[path])

    def flag(self, path):
        return self.values[path] == "true"


class Layer(nn.Module):
    """A recurrent layer, whose tensors are its parameters under their own names.

    It has `start(x)`, the state before the first step, and `step(x, state, t, time)`, which gives
    an output and the next state.
    """

    def __init__(self, tensors, settings):
        super().__init__()
        for name, values in tensors.items():
            self.register_parameter(name, nn.Parameter(values))

    def prepare(self):
        """Computes values that depend only on the parameters and are the same at every step."""

    def forward(self, x, state=None, first=0, times=None, lengths=None):
        """The outputs [N, T, H] and the state after step T; `first` steps came before."""
        self.prepare()
        state = self.start(x) if state is None else state
        outputs = []
        for t in range(x.shape[1]):
            time = None if times is None else times[:, t]
            output, state = self.step(x[:, t], state, first + t, time)
            outputs.append(output)
        return torch.stack(outputs, 1), state
