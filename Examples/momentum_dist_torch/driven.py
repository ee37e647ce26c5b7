# SPDX-License-Identifier: Apache-2.0

"""Cells of a drive and a body: RNN, LSTM, GRU, with momentum or an optimizer as their drive, and orthogonal ones."""
import torch
from torch.nn import functional as F

from .layer import Layer


class Drive:
    """The drive that replaces g_t, the product of the input (Nguyen et al., NeurIPS 2020).

    momentum:  v' = mu v + epsilon g,  d = v'
    adam:      the same v', s' = beta s + (1 - beta) g^2,  d = v' / sqrt(s' + 1e-16)
    rmsprop:   adam with mu = 0
    nesterov:  v' = (k - 1) / (k + 2) v + epsilon g,  d = v';  k counts steps, 1 ... restart
    """

    def __init__(self, kind, settings):
        self.kind = kind
        self.mu = 0.0 if kind == "rmsprop" else settings.number("model.mu")
        self.epsilon = settings.number("model.epsilon")
        self.beta = settings.number("model.beta")
        self.restart = settings.whole("model.restart") if kind in ("sr", "extrapolated") else 0

    def start(self, zeros):
        names = {"plain": [], "adam": ["v", "s"], "rmsprop": ["v", "s"]}.get(self.kind, ["v"])
        return {name: zeros for name in names}

    def nesterov(self, t):
        k = (t % self.restart if self.restart else t) + 1
        return (k - 1) / (k + 2)

    def __call__(self, g, state, t):
        """d_t, and the new state of the drive."""
        if self.kind == "plain":
            return g, {}
        share = self.nesterov(t) if self.kind in ("nag", "sr") else self.mu
        v = share * state["v"] + self.epsilon * g
        if self.kind not in ("adam", "rmsprop"):
            return v, {"v": v}
        s = self.beta * state["s"] + (1 - self.beta) * g * g
        return v / torch.sqrt(s + 1e-16), {"v": v, "s": s}


def modrelu(z, bias):
    return torch.sign(z) * torch.relu(z.abs() + bias)


class Driven(Layer):
    """A drive and a body: tanh, lstm (gates i, f, g, o), gru (r, z, n) or modReLU."""

    def __init__(self, tensors, settings, body, drive):
        super().__init__(tensors, settings)
        self.body = body
        self.drive = Drive(drive, settings)
        self.hidden = (self.skew if body == "orthogonal" else self.weight_hh).shape[1]

    def start(self, x):
        H, gates = self.hidden, self.weight_ih.shape[0]
        state = {"h": x.new_zeros(len(x), H), **self.drive.start(x.new_zeros(len(x), gates))}
        if self.body == "lstm":
            state["c"] = x.new_zeros(len(x), H)
        return state

    def step(self, x, state, t, time):
        h = state["h"]
        g = F.linear(x, self.weight_ih, getattr(self, "bias_ih", None))
        a = self.recurrent(h)
        if self.drive.kind == "extrapolated":  # of the authors' MNIST code: of the whole sum
            v = a - self.drive.epsilon * g
            d, carried = self.drive.nesterov(t) * (v - state["v"]), {"v": v}
            a = v
        else:
            d, carried = self.drive(g, state, t)
        if self.body == "lstm":
            i, f, g, o = (d + a).chunk(4, 1)
            c = torch.sigmoid(f) * state["c"] + torch.sigmoid(i) * torch.tanh(g)
            h, carried["c"] = torch.sigmoid(o) * torch.tanh(c), c
        elif self.body == "gru":
            h = gru(d, a, h)
        elif self.body == "orthogonal":
            h = modrelu(d + a, self.bias)
        else:
            h = torch.tanh(d + a)
        return h, {"h": h, **carried}

    def recurrent(self, h):
        return F.linear(h, self.weight_hh, self.bias_hh)


def gru(d, a, h):
    """The update of a GRU. Its reset gate follows the product, as in cuDNN."""
    (d_r, d_z, d_n), (a_r, a_z, a_n) = d.chunk(3, 1), a.chunk(3, 1)
    r, z = torch.sigmoid(d_r + a_r), torch.sigmoid(d_z + a_z)
    n = torch.tanh(d_n + r * a_n)
    return (1 - z) * n + z * h


class Orthogonal(Driven):
    """h' = modReLU(d + h P), P = Q phi(S), S = triu(A, 1) - triu(A, 1)^T; phi is exp or Cayley's.

    In a trained model Q is the buffer `base`. P is computed in float64.
    """

    def __init__(self, tensors, settings, drive, cayley=False):
        base = tensors.pop("base")
        tensors.pop("rebase_counters", None)
        super().__init__(tensors, settings, "orthogonal", drive)
        self.register_buffer("base", base)
        self.cayley = cayley

    def prepare(self):
        upper = torch.triu(self.skew.double(), 1)
        S, one = upper - upper.T, torch.eye(self.hidden, dtype=torch.float64)
        phi = torch.linalg.solve(one + S, one - S) if self.cayley else torch.matrix_exp(S)
        self.P = (self.base.double() @ phi).to(self.skew.dtype)

    def recurrent(self, h):
        return h @ self.P
