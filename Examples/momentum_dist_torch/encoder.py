"""The encoder of the Neural Data Transformer."""
import math

import torch
from torch import nn
from torch.nn import functional as F

from .layer import Layer


class Encoder(Layer):
    """The Neural Data Transformer's encoder (Ye and Pandarinath, 2021); it carries no state."""

    def __init__(self, tensors, settings):
        super().__init__({}, settings)
        self.layers = settings.whole("model.layers")
        self.tensors = nn.ParameterDict(
            {name.replace(".", "/"): nn.Parameter(values) for name, values in tensors.items()})
        for key in ("heads", "context_backward", "context_forward", "maximum_count"):
            setattr(self, key, settings.whole("ndt." + key))
        self.pre_norm = settings.flag("ndt.pre_norm")
        self.embedding, self.position = settings.text("ndt.embedding"), settings.text("ndt.position")

    def linear(self, x, name, kind="."):
        name = name.replace(".", "/")
        kind = kind.replace(".", "/")
        return F.linear(x, self.tensors[f"{name}{kind}weight"], self.tensors[f"{name}{kind}bias"])

    def norm(self, x, name):
        gain, shift = (self.tensors[f"{name}.{own}".replace(".", "/")] for own in ("weight", "bias"))
        return F.layer_norm(x, x.shape[-1:], gain, shift, 1e-5)

    def positions(self, first, T, D, like):
        if self.position == "learned":
            return self.tensors["position/weight"][first:first + T]
        step = torch.arange(first + 1, first + T + 1, dtype=torch.float64)[:, None]
        column = torch.arange(D)
        angle = step * 10_000.0 ** (-(column // 2 * 2).double() / D)
        return torch.where(column % 2 == 0, torch.sin(angle), torch.cos(angle)).to(like)

    def mask(self, T, lengths):
        """Which steps j each step i sees, [N, 1, T, T]."""
        i, j = torch.arange(T)[:, None], torch.arange(T)[None, :]
        seen = torch.ones(T, T, dtype=torch.bool)
        if self.context_backward > 0:
            seen &= j >= i - self.context_backward
        if self.context_forward >= 0:
            seen &= j <= i + self.context_forward
        inside = torch.arange(T)[None, :] < lengths[:, None]
        seen = seen[None] & inside[:, None, :]
        return (seen | torch.eye(T, dtype=torch.bool))[:, None]  # what lies beyond the end is unused

    def attention(self, x, name, seen):
        N, T, D = x.shape
        q, k, v = (
            part.reshape(N, T, self.heads, -1).transpose(1, 2)
            for part in self.linear(x, name + "self_attn.in_proj", "_").chunk(3, -1))
        scores = q @ k.transpose(-1, -2) / math.sqrt(D // self.heads)
        mixed = scores.masked_fill(~seen, -math.inf).softmax(-1) @ v
        return self.linear(mixed.transpose(1, 2).reshape(N, T, D), name + "self_attn.out_proj")

    def forward(self, x, state=None, first=0, times=None, lengths=None):
        N, T = x.shape[:2]
        if self.embedding == "table":
            counts = x.round().clamp(0, self.maximum_count + 1).long()
            x = self.tensors["embedding/weight"][counts].flatten(2)
        elif self.embedding == "linear":
            x = self.linear(x, "embedding")
        x = x * math.sqrt(x.shape[-1]) + self.positions(first, T, x.shape[-1], x)
        seen = self.mask(T, torch.full((N,), T) if lengths is None else lengths)
        for layer in range(self.layers):
            name = f"layers.{layer}."

            def feed(x):
                return self.linear(torch.relu(self.linear(x, name + "linear1")), name + "linear2")

            if self.pre_norm:
                x = x + self.attention(self.norm(x, name + "norm1"), name, seen)
                x = x + feed(self.norm(x, name + "norm2"))
            else:
                x = self.norm(x + self.attention(x, name, seen), name + "norm1")
                x = self.norm(x + feed(x), name + "norm2")
        return self.norm(x, "norm"), {}
