# SPDX-License-Identifier: Apache-2.0

"""A model from an export: a stack of layers and the read-out."""
import json

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .cells import cell
from .layer import Settings


def read_safetensors(path):
    """The tensors of a file by name, and its metadata."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        values = np.frombuffer(data[start:end], "<f4").reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.astype(np.float32))
    return tensors, metadata


def load(path, dtype=torch.float32):
    """The model of an export, ready for use."""
    return Model(*read_safetensors(path)).to(dtype).eval()


class BothWays(nn.Module):
    """Two layers. The second reads each sequence from its last step to its first."""

    def __init__(self, forward, reverse):
        super().__init__()
        self.forward_layer, self.reverse_layer = forward, reverse

    def forward(self, x, state=None, first=0, times=None, lengths=None):
        N, T = x.shape[:2]
        ends = torch.full((N, 1), T) if lengths is None else lengths[:, None]
        step = torch.arange(T)[None, :].expand(N, T)
        order = torch.where(step < ends, ends - 1 - step, step)
        rows = torch.arange(N)[:, None]
        if times is not None:  # counted back from the last step
            back = (ends - 1 - step).clamp(min=0)
            reverse_times = times[rows, ends - 1] - times[rows, back]
        else:
            reverse_times = None
        y, _ = self.forward_layer(x, times=times)
        z, _ = self.reverse_layer(x[rows, order], times=reverse_times)
        return torch.cat([y, z[rows, order]], -1), {}


class Model(nn.Module):
    """The layers and the read-out of an export."""

    def __init__(self, tensors, metadata):
        super().__init__()
        self.metadata = metadata
        self.settings = settings = Settings(json.loads(metadata["configuration"]))
        self.data = json.loads(metadata.get("data", "{}"))
        settings.map = self.map_of_steps()
        # The order of the pixels in the permuted view.
        self.pixel_order = json.loads(metadata.get("pixel_order", "null"))
        self.learned_times = "times" in self.data.get("parts", {}).get("train", {})
        self.task = settings.text("dataset.task")
        self.is_language_model = self.task == "language_model"
        self.is_bidirectional = settings.flag("model.bidirectional")
        self.carries_state = not self.is_bidirectional and settings.text("model.cell") != "ndt"
        self.is_every_step = self.task in (
            "copying", "denoise", "language_model", "next_frame", "masked_spikes", "tagging")
        self.takes_mean = settings.text("model.pooling") == "mean" and not self.is_every_step
        count = 1 if settings.text("model.cell") == "ndt" else settings.whole("model.layers")
        self.layers = nn.ModuleList(self.layer(tensors, level) for level in range(count))
        prefix = "decoder." if self.is_language_model else "readout."
        if self.is_language_model:
            self.embedding = nn.Parameter(tensors["embedding.weight"])
        tied = f"{prefix}weight" not in tensors
        self.weight = self.embedding if tied else nn.Parameter(tensors[f"{prefix}weight"])
        self.bias = nn.Parameter(tensors[f"{prefix}bias"])

    def map_of_steps(self):
        """Y and X of inputs that are maps."""
        shape = self.data.get("parts", {}).get("train", {}).get("inputs", {}).get("shape", [])
        return tuple(shape[1:3]) if self.settings.text("dataset.view") == "image" else None

    def layer(self, tensors, level):
        name = self.settings.text("model.cell")

        def direction(suffix):
            own = {}
            for path, values in tensors.items():
                path = path[len("buffers/"):] if path.startswith("buffers/") else path
                if path.startswith("rnn.") and path.endswith(suffix):
                    own[path[len("rnn."):len(path) - len(suffix)]] = values
            return cell(name, own, self.settings)

        if name == "ndt":
            return direction("")
        if self.is_bidirectional:
            return BothWays(direction(f"_l{level}"), direction(f"_l{level}_reverse"))
        return direction(f"_l{level}")

    def forward(self, inputs, lengths=None, times=None):
        """The output of the read-out: logits of classes, numbers, or log-rates."""
        return self.run(inputs, lengths=lengths, times=times)[0]

    def run(self, inputs, state=None, lengths=None, times=None):
        """The same, starting from a state, and the state after the last step."""
        h, state = self.hidden(inputs, state, lengths, times)
        N, T = h.shape[:2]
        ends = torch.full((N,), T) if lengths is None else torch.as_tensor(lengths)
        if self.is_every_step:
            pass
        elif self.takes_mean:
            inside = (torch.arange(T)[None, :] < ends[:, None]).to(h)[..., None]
            h = (h * inside).sum(1) / ends[:, None]
        else:
            last = h[torch.arange(N), ends - 1]
            H = h.shape[-1] // 2
            h = torch.cat([last[:, :H], h[:, 0, H:]], -1) if self.is_bidirectional else last
        return F.linear(h, self.weight, self.bias), state

    def hidden(self, inputs, state=None, lengths=None, times=None):
        """The outputs of the last layer, [N, T, H], and the state after the last step."""
        own = self.weight.dtype
        if state is not None and (not self.carries_state or times is not None):
            raise ValueError("a stream needs layers that carry a state, and steps without times")
        x = torch.as_tensor(inputs)
        x = self.embedding[x] if self.is_language_model else x.to(own).flatten(2)
        lengths = None if lengths is None else torch.as_tensor(lengths)
        if times is not None and self.learned_times:
            times = torch.as_tensor(times, dtype=torch.float64)
            times = times - times[:, :1]
        else:
            times = None
        first, states = (0, [None] * len(self.layers)) if state is None else state
        after = []
        for layer, before in zip(self.layers, states):
            x, final = layer(x, before, first, times, lengths)
            after.append(final)
        return x, (first + x.shape[1], after)

    # Inputs and outputs in the units of the data.

    def scaled(self, stored):
        """Whole numbers as shares of the largest, if the model learned them so."""
        stored = np.asarray(stored)
        scaling = 1.0
        if np.issubdtype(stored.dtype, np.integer):
            scaling = self.data.get("meaning", {}).get("scaling", 1.0)
            if self.settings.map is not None and stored.dtype == np.uint8:
                scaling = 1 / 255
        return torch.from_numpy(stored * scaling)

    def normalise(self, raw):
        """Raw inputs as the model learned them: (x scaling - mean) / deviation."""
        x = self.scaled(raw)
        known = self.data.get("meaning", {}).get("statistics")
        if known:
            mean, deviation = (np.array(known[key]) for key in ("mean", "deviation"))
            x = (x - torch.from_numpy(mean)) / torch.from_numpy(deviation)
        return x

    def answers(self, y, lengths=None):
        """Outputs under the names and in the units of `momentum-dist predict`."""
        y = y.detach().double()
        meaning = self.data.get("meaning", {})
        if self.task == "masked_spikes":
            return {"rates": torch.exp(y)}
        if self.task in ("classification", "tagging", "copying", "denoise", "language_model"):
            return {"class": y.argmax(-1), "probabilities": y.softmax(-1)}
        forecasts = self.task in ("forecast", "next_frame")
        known = meaning.get("statistics" if forecasts else "targets")
        if known:
            mean, deviation = (np.resize(known[key], y.shape[-1]) for key in ("mean", "deviation"))
            y = y * torch.from_numpy(deviation) + torch.from_numpy(mean)
        if self.task == "forecast":
            horizon = self.settings.whole("dataset.horizon")
            return {"forecast": y.reshape(len(y), horizon, -1)}
        if self.task == "next_frame":
            ends = np.full(len(y), y.shape[1]) if lengths is None else np.asarray(lengths)
            return {"forecast": y[np.arange(len(y)), ends - 1], "predictions": y}
        return {"values": y}
