# SPDX-License-Identifier: Apache-2.0

"""HiPPO's gated cells and the Legendre memory unit."""
import math

import torch
from torch.nn import functional as F

from .layer import Layer


def memory_system(measure, order):
    """A and B of dm/dt = A m + B u (Gu et al., NeurIPS 2020; Voelker et al., NeurIPS 2019)."""
    n = torch.arange(order, dtype=torch.float64)
    root, row, column = torch.sqrt(2 * n + 1), n[:, None], n[None, :]
    sign = (-1.0) ** (row - column)
    product, zero = root[:, None] * root, torch.zeros(order, order, dtype=torch.float64)
    below, above = row > column, row < column
    if measure == "legs":
        return -torch.where(below, product, zero) - torch.diag(n + 1), root
    if measure == "legt":
        return -product * torch.where(above, sign, zero + 1), root
    if measure == "lagt":
        return -torch.where(below, zero + 1, zero) - 0.5 * torch.eye(order).double(), 0 * n + 1
    return (2 * row + 1) * torch.where(above, zero - 1, -sign), (2 * n + 1) * (-1.0) ** n


def discretize(A, B, size, method):
    """A' - 1 and B' of m' = A' m + B' u over a step `size`, which may have a batch shape."""
    order = len(B)
    whole = torch.zeros(order + 1, order + 1, dtype=torch.float64)
    whole[:order, :order], whole[:order, order] = A, B
    whole = torch.as_tensor(size, dtype=torch.float64)[..., None, None] * whole
    one = torch.eye(order + 1, dtype=torch.float64)
    if method == "zoh":
        result = torch.matrix_exp(whole)
    else:
        new = {"forward": 0.0, "backward": 1.0, "bilinear": 0.5}[method]
        result = torch.linalg.solve(one - new * whole, one + (1 - new) * whole)
    return (result - one)[..., :order, :order], result[..., :order, order]


class Memory(Layer):
    """Cells around M memories of N coefficients: HiPPO's gated cell and the Legendre memory unit.

    hippo:  u = W_ux x + W_uh h + b_u,  c, g = W_hx x + W_hm m' + b_h
    lmu:    u = W_ux x + W_uh h + e m,  c (and g, if gated) = W_hx x + W_hm m' + W_hh h
    h' = (1 - s(g)) h + s(g) tanh(c), or tanh(c) without a gate
    """

    def __init__(self, tensors, settings, measure, gated, method):
        super().__init__(tensors, settings)
        self.gated, self.measure = gated, measure
        self.hidden, self.channels = self.weight_uh.shape[1], self.weight_uh.shape[0]
        self.order = self.weight_hm.shape[1] // self.channels
        chosen = settings.text("model.discretization")
        self.method = method if chosen == "cell" else chosen
        self.size = settings.number("model.memory_step")
        self.limit = settings.whole("model.maximum_steps")
        self.system = memory_system(measure, self.order)
        self.known = {}

    def start(self, x):
        memory = x.new_zeros(len(x), self.channels, self.order)
        return {"h": x.new_zeros(len(x), self.hidden), "m": memory, "clock": 0, "time": None}

    def advance(self, m, u, state, time):
        if self.measure != "legs":
            return self.moved(m, u, self.size)
        if state["clock"] == 0:  # the first input fills the memory
            return torch.cat([u[..., None], torch.zeros_like(m[..., 1:])], -1)
        if time is not None:  # D = (now - before) / now, of each row
            moves = (time > state["time"]) & (time > 0)
            size = torch.where(moves, (time - state["time"]) / time.clamp(min=1e-30), 0 * time)
            change, column = discretize(*self.system, size, self.method)
            change, column = change.to(m.dtype), column.to(m.dtype)
            return m + m @ change.transpose(1, 2) + u[..., None] * column[:, None]
        now = min(state["clock"], self.limit) if self.limit else state["clock"]
        return self.moved(m, u, math.log((now + 1) / now) if self.method == "zoh" else 1 / now)

    def moved(self, m, u, size):
        if size not in self.known:
            self.known[size] = discretize(*self.system, size, self.method)
        change, column = (matrix.to(m.dtype) for matrix in self.known[size])
        return m + m @ change.T + u[..., None] * column

    def step(self, x, state, t, time):
        h, m = state["h"], state["m"]
        u = F.linear(x, self.weight_ux, getattr(self, "bias_u", None)) + h @ self.weight_uh.T
        if hasattr(self, "weight_um"):
            u = u + (m * self.weight_um).sum(-1)
        m = self.advance(m, u, state, time)
        z = F.linear(x, self.weight_hx, getattr(self, "bias_h", None))
        z = z + m.flatten(1) @ self.weight_hm.T
        if hasattr(self, "weight_hh"):
            z = z + h @ self.weight_hh.T
        if self.gated:
            candidate, gate = z.chunk(2, 1)
            gate = torch.sigmoid(gate)
            h = (1 - gate) * h + gate * torch.tanh(candidate)
        else:
            h = torch.tanh(z)
        return h, {"h": h, "m": m, "clock": state["clock"] + 1, "time": time}
