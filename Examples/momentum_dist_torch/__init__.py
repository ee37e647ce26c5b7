# SPDX-License-Identifier: Apache-2.0

"""Computes a model that `momentum-dist export` wrote, in plain PyTorch.

    from momentum_dist_torch import load

    model = load("model.safetensors")                 # dtype=torch.float64 for more digits
    y = model(model.normalise(raw), lengths, times)   # [N, K], or of every step [N, T, K]
    answers = model.answers(y, lengths)               # as those of `momentum-dist predict`
    y, state = model.run(chunk, state)                # a stream, chunk by chunk

Inputs are [N, T, C], or tokens [N, T] of a language model. Lengths [N] are the valid steps of each
sequence, times [N, T] when they happened. It needs torch and numpy alone: the metadata of the file
says what to compute. Equations are those of the package's article CellEquations, and tensors have
the names of the file. Shapes use N sequences, T steps, C inputs, H hidden units, K outputs.
"""
from .model import Model, load, read_safetensors

__all__ = ["Model", "load", "read_safetensors"]
