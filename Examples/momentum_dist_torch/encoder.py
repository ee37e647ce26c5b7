# SPDX-License-Identifier: Apache-2.0

"""The encoder of the Neural Data Transformer (Ye and Pandarinath, 2021)."""
import math

import torch
from torch import nn

from .layer import Layer


class Encoder(Layer):
    """e = sqrt(D) embed(x) + position, then PyTorch's encoder layers, then a norm.

    Step i sees the steps from i - context_backward to i + context_forward. There is no state.
    """

    def __init__(self, tensors, settings):
        super().__init__({}, settings)
        D = tensors["norm.weight"].shape[0]
        F = tensors["layers.0.linear1.weight"].shape[0]
        self.heads = settings.whole("ndt.heads")
        self.back, self.ahead = (
            settings.whole(f"ndt.context_{side}") for side in ("backward", "forward"))
        kind = settings.text("ndt.embedding")
        self.embedding = None
        if kind == "table":  # a row for each count, and one for all that are larger
            self.embedding = nn.Embedding(*tensors["embedding.weight"].shape)
        elif kind == "linear":
            self.embedding = nn.Linear(tensors["embedding.weight"].shape[1], D)
        self.position = None
        if settings.text("ndt.position") == "learned":
            self.position = nn.Embedding(*tensors["position.weight"].shape)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                D, self.heads, F, dropout=0.0, batch_first=True,
                norm_first=settings.flag("ndt.pre_norm"))
            for _ in range(settings.whole("model.layers")))
        self.norm = nn.LayerNorm(D)
        self.load_state_dict(tensors)

    def embedded(self, x):
        if isinstance(self.embedding, nn.Embedding):
            counts = x.round().clamp(0, self.embedding.num_embeddings - 1).long()
            return self.embedding(counts).flatten(2)
        return x if self.embedding is None else self.embedding(x)

    def positions(self, T, D):
        """Learned rows, or sines and cosines of the step's number, counted from 1."""
        if self.position is not None:
            return self.position.weight[:T]
        step = torch.arange(1, T + 1, dtype=torch.float64)[:, None]
        column = torch.arange(D)
        angle = step * 10_000.0 ** (-(column // 2 * 2).double() / D)
        return torch.where(column % 2 == 0, torch.sin(angle), torch.cos(angle))

    def hidden_steps(self, T, lengths):
        """Which steps j each step i does not see, [N heads, T, T]."""
        i, j = torch.arange(T)[:, None], torch.arange(T)[None, :]
        seen = torch.ones(T, T, dtype=torch.bool)
        if self.back > 0:
            seen &= j >= i - self.back
        if self.ahead >= 0:
            seen &= j <= i + self.ahead
        seen = seen[None] & (j < lengths[:, None])[:, None]
        seen |= i == j  # steps beyond the end see themselves, and are not used
        return ~seen.repeat_interleave(self.heads, 0)

    def forward(self, x, state=None, first=0, times=None, lengths=None):
        N, T = x.shape[:2]
        x = self.embedded(x)
        x = x * math.sqrt(x.shape[-1]) + self.positions(T, x.shape[-1]).to(x)
        hidden = self.hidden_steps(T, torch.full((N,), T) if lengths is None else lengths)
        for layer in self.layers:
            x = layer(x, hidden)
        return self.norm(x), {}
