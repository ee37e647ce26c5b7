# SPDX-License-Identifier: Apache-2.0

"""Times PyTorch on a training step of a network with a HiPPO memory, to compare with `bench step`.

`hippo_legs` (Gu et al., 2020): the gated cell with one memory of order N and the bilinear LegS steps
from dense matrices A(t), B(t) that are computed beforehand, as in the authors' code. `lmu` (Voelker
et al., 2019): zero-order hold over a window of theta steps, no gate, no bias. Both are written by
hand, a step after the other, with one product for the hidden units and the gate.

    python3 hippo_peer.py --cell hippo_legs --hidden 128 --order 128 --mode script
    python3 hippo_peer.py --cell lmu --hidden 212 --order 256 --theta 784
    python3 hippo_peer.py --cell lmu --order 6 --time 9 --batch 4 --hidden 5 --check cells_ref.py
"""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import peer


def legs(order, longest, dtype):
    """A^T [L, N, N] and B [L, N] of the bilinear steps 1/1 ... 1/L, computed in Double."""
    n = torch.arange(order, dtype=torch.float64)
    q = torch.sqrt(2 * n + 1)
    A = -(torch.tril(q[:, None] * q, -1) + torch.diag(n + 1))
    eye = torch.eye(order, dtype=torch.float64)
    As, Bs = [], []
    for t in range(1, longest + 1):
        both = torch.linalg.solve_triangular(
            eye - A / (2 * t), torch.cat((eye + A / (2 * t), q[:, None] / t), 1), upper=False)
        As.append(both[:, :-1].t().to(dtype))
        Bs.append(both[:, -1].to(dtype))
    return torch.stack(As), torch.stack(Bs)


def lmu(order, theta):
    """A [N, N] and B [N] of a step of zero-order hold."""
    n = torch.arange(order, dtype=torch.float64)
    r, c = n[:, None], n[None, :]
    A = (2 * r + 1) * torch.where(r < c, -torch.ones_like(r * c), (-1.0) ** (r - c + 1))
    B = (-1.0) ** n * (2 * n + 1)
    both = torch.zeros(order + 1, order + 1, dtype=torch.float64)
    both[:order, :order], both[:order, order] = A / theta, B / theta
    both = torch.linalg.matrix_exp(both)
    return both[:order, :order].contiguous(), both[:order, order].contiguous()


class HippoLegS(nn.Module):
    def __init__(self, inputs: int, hidden: int, order: int, longest: int, dtype: torch.dtype):
        super().__init__()
        self.hidden, self.order, self.longest = hidden, order, longest
        self.memory_input = nn.Linear(inputs + hidden, 1)
        self.update = nn.Linear(inputs + order, 2 * hidden)
        A, B = legs(order, longest, dtype)
        self.register_buffer("A", A)
        self.register_buffer("B", B)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.size(1), self.hidden)
        m = x.new_zeros(x.size(1), self.order)
        for t, x_t in enumerate(x.unbind(0)):
            u = self.memory_input(torch.cat((x_t, h), 1))
            if t == 0:
                m = F.pad(u, [0, self.order - 1])
            else:
                s = min(t, self.longest) - 1
                m = torch.addmm(u * self.B[s], m, self.A[s])
            candidate, gate = self.update(torch.cat((x_t, m), 1)).chunk(2, 1)
            h = torch.lerp(h, torch.tanh(candidate), torch.sigmoid(gate))
        return h


class LMU(nn.Module):
    def __init__(self, inputs: int, hidden: int, order: int, theta: int):
        super().__init__()
        self.hidden, self.order = hidden, order
        self.memory_input = nn.Linear(inputs + hidden + order, 1, bias=False)
        self.update = nn.Linear(inputs + hidden + order, hidden, bias=False)
        A, B = lmu(order, theta)
        self.register_buffer("A", A.t().contiguous())
        self.register_buffer("B", B)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.size(1), self.hidden)
        m = x.new_zeros(x.size(1), self.order)
        for x_t in x.unbind(0):
            u = self.memory_input(torch.cat((x_t, h, m), 1))
            m = torch.addmm(u * self.B, m, self.A)
            h = torch.tanh(self.update(torch.cat((x_t, h, m), 1)))
        return h


def expected(a):
    """The last state from the reference, with the parameters of the modules above."""
    R = peer.reference(a.check)
    I, H, N = a.input, a.hidden, a.order

    def run(p, x):
        A, B = R.hippo_AB("lmu" if a.cell == "lmu" else "legs", N)
        q = {"A_ct": A, "B_ct": B}
        state = {"h": x.new_zeros(x.size(1), H), "m": x.new_zeros(x.size(1), 1, N)}
        u, w = p["memory_input.weight"], p["update.weight"]
        if a.cell == "lmu":
            q |= {"W_uxh": u[:, :I + H], "W_um": u[:, I + H:], "W_hh": w[:, I:I + H],
                  "W_hxm": torch.cat((w[:, :I], w[:, I + H:]), 1)}
            return R.run(R.lmu, q, x, state, {"dt": 1 / a.theta, "method": "zoh"})[0][-1]
        b = p["update.bias"]
        q |= {"W_uxh": u, "b_uxh": p["memory_input.bias"], "W_hxm": w[:H], "b_hxm": b[:H],
              "W_g": w[H:], "b_g": b[H:]}
        constants = {"measure": "legs", "method": "bilinear", "max_length": 1024}
        return R.run(R.hippo_rnn, q, x, state, constants)[0][-1]

    return run


def main():
    a = peer.arguments(__doc__, ["hippo_legs", "lmu"], order=128, theta=784)
    if a.cell == "lmu":
        cell = LMU(a.input, a.hidden, a.order, a.theta)
    else:
        cell = HippoLegS(
            a.input, a.hidden, a.order, min(max(a.time - 1, 1), 1024),
            torch.float64 if a.check else torch.float32)
    if a.check:
        peer.check(a, cell, expected(a))
    else:
        peer.measure(a, cell.float(), order=a.order)


if __name__ == "__main__":
    main()
