# SPDX-License-Identifier: Apache-2.0

"""Cells whose inputs and states are maps, and graphs of them (Nayebi et al., NeurIPS 2018).

Inside, maps are [N, channels, Y, X], as PyTorch has them; in files and between layers the channels
come last. Every convolution is a cross-correlation with the padding that TensorFlow calls SAME.
"""
import torch
from torch import nn
from torch.nn import functional as F

from .driven import Drive
from .layer import Layer


def padding(extent, kernel, stride):
    """Zeros before and after one extent of a map."""
    total = max((-(-extent // stride) - 1) * stride + kernel - extent, 0)
    return total // 2, total - total // 2


def padded(x, kernel, stride, value=0.0):
    (top, bottom), (left, right) = (padding(extent, kernel, stride) for extent in x.shape[2:])
    return F.pad(x, (left, right, top, bottom), value=value)


def enlarged(x, times):
    return x.repeat_interleave(times, 2).repeat_interleave(times, 3) if times > 1 else x


def convolution(x, weight, bias=None, stride=1):
    """With a weight [channels, K, K, inputs]."""
    return F.conv2d(
        padded(x, weight.shape[1], stride), weight.permute(0, 3, 1, 2), bias, stride)


def depthwise(x, filters, stride=1):
    """Each channel with a filter of its own, [channels, K, K]."""
    return F.conv2d(
        padded(x, filters.shape[1], stride), filters[:, None], None, stride, groups=len(filters))


def pooled(x, kind, kernel, stride):
    """The maximum or the mean of windows, without the places outside of the map."""
    if kind == "max":
        return F.max_pool2d(padded(x, kernel, stride, -torch.inf), kernel, stride)
    ones = padded(torch.ones_like(x), kernel, stride)
    return F.avg_pool2d(padded(x, kernel, stride), kernel, stride) / F.avg_pool2d(
        ones, kernel, stride)


def carried(gate, candidate, h):
    gate = torch.sigmoid(gate)
    return gate * h + (1 - gate) * candidate


def passing(*sums):
    """1 - sigmoid of each: the factor of a reciprocal gate."""
    return [torch.sigmoid(-z) for z in sums]


class MapCell(Layer):
    states = ("h",)

    def __init__(self, tensors, settings):
        super().__init__(tensors, settings)
        # Each convolution sees one kind of maps. The recurrent ones give the channels.
        recurrent = getattr(self, "weight_hh", getattr(self, "weight_hidden", None))
        self.hidden = None if recurrent is None else recurrent.shape[3]

    def start(self, x):
        shape = (len(x), self.hidden or x.shape[1], *x.shape[2:])
        return {name: x.new_zeros(shape) for name in self.states}

    def sums(self, x, h, blocks):
        """W_ih * x + b + W_hh * h, cut into blocks of H channels."""
        bias = getattr(self, "bias", None)
        z = convolution(x, self.weight_ih, bias) + convolution(h, self.weight_hh)
        return z.chunk(blocks, 1)


class ConvLSTM(MapCell):
    """f, i, o, g = W_ih * x + b + W_hh * h; c' = s(f) c + s(i) tanh(g); h' = s(o) tanh(c').

    With momentum, a drive replaces W_ih * x + b.
    """

    states = ("h", "c")

    def __init__(self, tensors, settings, drive="plain"):
        super().__init__(tensors, settings)
        self.drive = Drive(drive, settings)

    def start(self, x):
        zeros = x.new_zeros(len(x), 4 * self.hidden, *x.shape[2:])
        return {**super().start(x), **self.drive.start(zeros)}

    def step(self, x, state, t, time):
        d, kept = self.drive(convolution(x, self.weight_ih, self.bias), state, t)
        f, i, o, g = (d + convolution(state["h"], self.weight_hh)).chunk(4, 1)
        c = torch.sigmoid(f) * state["c"] + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, {"h": h, "c": c, **kept}


class ConvGRU(MapCell):
    """r, u = s(W_ih * x + b + W_hh * h); c = tanh(W_cx * x + b_c + W_ch * (r h))."""

    def step(self, x, state, t, time):
        h = state["h"]
        x_r, x_u, x_c = convolution(x, self.weight_ih, self.bias).chunk(3, 1)
        h_r, h_u = convolution(h, self.weight_hh).chunk(2, 1)
        r = torch.sigmoid(x_r + h_r)
        h = carried(x_u + h_u, torch.tanh(x_c + convolution(r * h, self.weight_ch)), h)
        return h, {"h": h}


class ConvUpdateGateRNN(MapCell):
    """g, c = W_ih * x + b + W_hh * h; h' = s(g) h + (1 - s(g)) tanh(c)."""

    def step(self, x, state, t, time):
        gate, candidate = self.sums(x, state["h"], 2)
        h = carried(gate, torch.tanh(candidate), state["h"])
        return h, {"h": h}


class ConvIntersectionRNN(MapCell):
    """A gate in time for h, and one in depth for y, which is the output."""

    states = ("y", "h")

    def step(self, x, state, t, time):
        gate_h, c, gate_y, d = self.sums(x, state["h"], 4)
        h = carried(gate_h, torch.tanh(c), state["h"])
        y = carried(gate_y, torch.relu(d), x)
        return y, {"y": y, "h": h}


class ConvRNN(MapCell):
    """h' = ELU(N(W_ih * x + W_hh * h)), N over all places and channels of a map."""

    def step(self, x, state, t, time):
        (z,) = self.sums(x, state["h"], 1)
        last = z.permute(0, 2, 3, 1).flatten(1)
        normed = F.layer_norm(last, last.shape[1:], self.gain, self.shift, 1e-5)
        h = F.elu(normed.reshape(len(z), *z.shape[2:], z.shape[1]).permute(0, 3, 1, 2))
        return h, {"h": h}


class ReciprocalGated(MapCell):
    """h' = ELU((1 - s(W_ch * c)) x + (1 - s(W_hh * h)) h), and c' likewise."""

    states = ("h", "c")

    def gates(self, state):
        hidden = convolution(state["h"], self.weight_hidden).chunk(2, 1)
        cell = convolution(state["c"], self.weight_cell).chunk(2, 1)
        return hidden, cell

    def step(self, x, state, t, time):
        (of_h_c, of_h_h), (of_c_c, of_c_h) = self.gates(state)
        p, q, r, s = passing(of_h_c, of_c_c, of_c_h, of_h_h)
        c = F.elu(p * x + q * state["c"])
        h = F.elu(r * x + s * state["h"])
        return h, {"h": h, "c": c}


class PublishedReciprocalGated(ReciprocalGated):
    """The authors' program: d = ELU(W_ff * x + b_ff) drives h, W_ic * d drives c."""

    def step(self, x, state, t, time):
        (of_h_c, of_h_h), (of_c_c, of_c_h) = self.gates(state)
        d = F.elu(convolution(x, self.weight_ff, self.bias_ff))
        p, q, r, s = passing(of_h_c, of_c_c, of_c_h + convolution(x, self.weight_rg), of_h_h)
        c = F.elu(p * convolution(d, self.weight_ic) + q * state["c"])
        h = F.elu(r * d + s * state["h"])
        return h, {"h": h, "c": c}


class TimeDecay(MapCell):
    """h' = tau h + x."""

    def step(self, x, state, t, time):
        h = self.decay * state["h"] + x
        return h, {"h": h}


CELLS = {
    "rgc": ReciprocalGated, "rgc_zoo": PublishedReciprocalGated, "conv_lstm": ConvLSTM,
    "conv_gru": ConvGRU, "conv_ugrnn": ConvUpdateGateRNN,
    "conv_intersection": ConvIntersectionRNN, "conv_rnn": ConvRNN, "time_decay": TimeDecay,
    "momentum_conv_lstm": lambda tensors, settings: ConvLSTM(tensors, settings, "momentum"),
}


class Node(nn.Module):
    """A node of a graph, read from a text such as

        conv2: conv1 + conv3, channels 32, kernel 3, cell rgc, pool max 2

    activation(norm(b + sum of W_s * s)), then a cell, then a pooling. A separable node convolves
    each channel of a source with a filter of its own and mixes the channels after it.
    """

    def __init__(self, text, tensors, settings):
        super().__init__()
        name, rest = text.split(":")
        self.name = name.strip()
        sources, *options = [part.strip() for part in rest.split(",")]
        self.sources = [source.strip() for source in sources.split("+")]
        said = {words[0]: words[1:] for words in (option.split() for option in options)}
        self.kernel, self.stride = (int(said.get(key, [default])[0])
                                    for key, default in (("kernel", 3), ("stride", 1)))
        self.channels = int(said.get("channels", [1])[0])
        self.is_separable = "separable" in said
        self.groups = None
        if "norm" in said:
            self.groups = int(said["norm"][1]) if said["norm"][0] == "group" else 1
        self.activation = F.relu if said.get("activation") == ["relu"] else F.elu
        self.pool = said.get("pool")
        own = {key[len(self.name) + 1:]: values for key, values in tensors.items()
               if key.startswith(self.name + ".")}
        self.tensors = nn.ParameterDict(
            {key: nn.Parameter(values) for key, values in own.items() if "." not in key})
        self.cell = None
        if "cell" in said:
            inner = {key[len("cell."):]: values for key, values in own.items()
                     if key.startswith("cell.")}
            self.cell = CELLS[said["cell"][0]](inner, settings)

    def size(self, source):
        """Y and X of the node's maps from those of its first source."""
        return tuple(-(-extent // self.stride) for extent in source)

    def pooling(self, size):
        """Kind, window and stride."""
        kind, window = self.pool[:2]
        kernel = max(size) if window == "all" else int(window)
        return kind, kernel, int(self.pool[2]) if len(self.pool) > 2 else kernel

    def output_size(self, size):
        return tuple(-(-e // self.pooling(size)[2]) for e in size) if self.pool else size

    def drive(self, outputs, size):
        total = 0
        for place, source in enumerate(self.sources):
            x, stride = outputs[source], self.stride
            if place > 0:  # maps of another size are enlarged, or seen at a larger stride
                extent = x.shape[2]
                x, stride = enlarged(x, max(size[0] // extent, 1)), max(-(-extent // size[0]), 1)
            weight = self.tensors[f"weight_{source}"]
            bias = self.tensors["bias"] if place == 0 else None
            if self.is_separable:
                x = depthwise(x, self.tensors[f"depthwise_{source}"], stride)
                stride = 1
            total = total + convolution(x, weight, bias, stride)
        if self.groups:
            total = F.group_norm(
                total, self.groups, self.tensors["gain"], self.tensors["shift"], 1e-5)
        return self.activation(total)


class Graph(nn.Module):
    """Nodes, each of which sees the previous outputs of its sources. The last one is the output."""

    def __init__(self, tensors, settings):
        super().__init__()
        text = settings.text("model.graph") or (
            f"layer1: input, channels {settings.text('model.hidden_size')}")
        lines = [line for line in text.replace("\n", ";").split(";") if line.strip()]
        self.nodes = nn.ModuleList(Node(line, tensors, settings) for line in lines)

    def start(self, x):
        """The outputs and the cells' states before the first step; sizes follow first sources."""
        given, self.sizes = {"input": x.shape[2:]}, {}
        while len(self.sizes) < len(self.nodes):
            for node in self.nodes:
                if node.sources[0] in given and node.name not in self.sizes:
                    self.sizes[node.name] = node.size(given[node.sources[0]])
                    given[node.name] = node.output_size(self.sizes[node.name])
        state = {}
        for node in self.nodes:
            drive = x.new_zeros(len(x), node.channels, *self.sizes[node.name])
            output = x.new_zeros(len(x), node.channels, *given[node.name])
            state[node.name] = (output, node.cell.start(drive) if node.cell else {})
        return state

    def step(self, x, state, t, time):
        outputs = {"input": x, **{name: output for name, (output, _) in state.items()}}
        after = {}
        for node in self.nodes:
            size = self.sizes[node.name]
            output, own = node.drive(outputs, size), {}
            if node.cell:
                output, own = node.cell.step(output, state[node.name][1], t, time)
            if node.pool:
                output = pooled(output, *node.pooling(size))
            after[node.name] = (output, own)
        return after[self.nodes[-1].name][0], after


class MapLayer(Layer):
    """A cell on maps. The maps of its inputs and outputs are rows, channels last."""

    def __init__(self, name, tensors, settings):
        super().__init__({}, settings)
        self.cell = Graph(tensors, settings) if name == "graph" else CELLS[name](tensors, settings)
        self.map = settings.map

    def maps(self, x):
        Y, X = self.map
        return x.reshape(len(x), Y, X, -1).permute(0, 3, 1, 2)

    def start(self, x):
        return self.cell.start(self.maps(x[:, 0]))

    def step(self, x, state, t, time):
        output, state = self.cell.step(self.maps(x), state, t, time)
        return output.permute(0, 2, 3, 1).flatten(1), state
