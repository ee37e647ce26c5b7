# SPDX-License-Identifier: Apache-2.0

"""Times PyTorch on a training step of the Neural Data Transformer, to compare with `bench step --cell ndt`.

The encoder of Ye and Pandarinath (2021): a linear embedding times the root of its width, sines and
cosines for positions, layers of `torch.nn` with a banded mask, post-norm, one norm at the end. The
read-out sees the last step, as that of `bench step` does. Nothing is dropped.

    python3 ndt_peer.py --input 60 --hidden 120 --batch 16 --time 100 --layers 2
    python3 ndt_peer.py --mode script --input 60 --hidden 120 --batch 16 --time 50 --layers 2
"""
import math

import torch
from torch import Tensor, nn

import peer


class Encoder(nn.Module):
    def __init__(self, inputs: int, width: int, heads: int, feed_forward: int, layers: int,
                 steps: int, back: int, forward: int):
        super().__init__()
        self.scale = math.sqrt(width)
        self.embedding = nn.Linear(inputs, width)
        layer = nn.TransformerEncoderLayer(width, heads, feed_forward, dropout=0.0)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        step = torch.arange(steps)
        distance = step[None, :] - step[:, None]
        self.register_buffer("mask", (distance < -back) | (distance > forward))
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
        angle = (step[:, None] + 1) * rate
        positions = torch.stack([torch.sin(angle), torch.cos(angle)], 2).reshape(steps, 1, width)
        self.register_buffer("positions", positions)

    def forward(self, x: Tensor) -> Tensor:
        e = self.scale * self.embedding(x) + self.positions
        return self.norm(self.encoder(e, self.mask))[-1]


if __name__ == "__main__":
    a = peer.arguments(__doc__, ["ndt"], layers=1, heads=1, feed_forward=128, back=8, forward=4)
    encoder = Encoder(
        a.input, a.hidden, a.heads, a.feed_forward, a.layers, a.time, a.back, a.forward)
    peer.measure(a, encoder, layers=a.layers, heads=a.heads, feed_forward=a.feed_forward)
