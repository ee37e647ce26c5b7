# SPDX-License-Identifier: Apache-2.0

"""Times PyTorch on a training step of an AWD-LSTM language model, to compare with ours.

The step of the Penn TreeBank recipe: batch 20, 70 tokens, V=10000, E=400, H=1150, three layers,
all dropouts, weight drop, tied decoder, AR and TAR, clipping and SGD; random tokens. Layers are
torch's own LSTM (`--cell lstm`), or a TorchScript loop as in the authors' code
(`--cell momentum_lstm`). With --ranks 2 the columns are split and gradients summed by gloo.

    python3 awd_lstm_peer.py --cell momentum_lstm --ranks 2
"""
import argparse
import os
import resource
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F

MU, EPSILON = 0.0, 0.6


@torch.jit.script
def momentum_lstm(x, h, c, v, w_ih, w_hh, b_ih, b_hh, mu: float, epsilon: float):
    g = torch.addmm(b_ih, x.reshape(-1, x.size(2)), w_ih.t()).reshape(x.size(0), x.size(1), -1)
    outputs = []
    for t in range(x.size(0)):
        v = mu * v + epsilon * g[t]
        i, f, o_in, o = (v + torch.addmm(b_hh, h, w_hh.t())).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(o_in)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs), h, c, v


def mask(p, *shape):
    return torch.bernoulli(torch.full(shape, 1 - p)) / (1 - p)


def run(rank, a):
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    if a.ranks > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=a.port)
        dist.init_process_group("gloo", rank=rank, world_size=a.ranks)
    n = a.batch // a.ranks
    sizes = [(a.embedding if l == 0 else a.hidden, a.embedding if l == a.layers - 1 else a.hidden)
             for l in range(a.layers)]
    emb = torch.empty(a.vocabulary, a.embedding).uniform_(-.1, .1)
    bias = torch.zeros(a.vocabulary)
    weights = [[torch.randn(4 * h, i) / i ** .5, torch.randn(4 * h, h) / h ** .5,
                torch.zeros(4 * h), torch.zeros(4 * h)] for i, h in sizes]
    parameters = [emb, bias] + [w for layer in weights for w in layer]
    for p in parameters:
        p.requires_grad_(True)
    optimizer = torch.optim.SGD(parameters, lr=30, weight_decay=1.2e-6)
    state = [[torch.zeros(n, h), torch.zeros(n, h), torch.zeros(n, 4 * h)] for _, h in sizes]
    seconds = []
    for step in range(a.warmup + a.steps):
        tokens = torch.randint(a.vocabulary, (a.time + 1, n))
        if a.ranks > 1:
            dist.barrier()
        start = time.perf_counter()
        words = mask(.1, a.vocabulary, 1) * emb
        x = F.embedding(tokens[:-1], words) * mask(.4, 1, n, a.embedding)
        for l, (w_ih, w_hh, b_ih, b_hh) in enumerate(weights):
            dropped = w_hh * mask(.5, *w_hh.shape)
            h, c, v = (s.detach() for s in state[l])
            if a.cell == "lstm":
                raw, h, c = torch._VF.lstm(x, (h[None], c[None]), [w_ih, dropped, b_ih, b_hh],
                                           True, 1, 0., True, False, False)
                h, c = h[0], c[0]
            else:
                raw, h, c, v = momentum_lstm(x, h, c, v, w_ih, dropped, b_ih, b_hh, MU, EPSILON)
            state[l] = [h, c, v]
            x = raw * mask(.25 if l < a.layers - 1 else .4, 1, n, raw.size(2))
        logits = F.linear(x.reshape(-1, x.size(2)), emb, bias)
        loss = F.cross_entropy(logits, tokens[1:].reshape(-1))
        total = loss + 2 * x.pow(2).mean() + (raw[1:] - raw[:-1]).pow(2).mean()
        optimizer.zero_grad()
        total.backward()
        if a.ranks > 1:
            flat = torch.cat([p.grad.reshape(-1) for p in parameters])
            dist.all_reduce(flat)
            flat /= a.ranks
            place = 0
            for p in parameters:
                p.grad.copy_(flat[place:place + p.numel()].view_as(p))
                place += p.numel()
        torch.nn.utils.clip_grad_norm_(parameters, .25)
        optimizer.step()
        if a.ranks > 1:
            dist.barrier()
        seconds.append(time.perf_counter() - start)
    if rank == 0:
        timed = sorted(seconds[a.warmup:])
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        count = sum(p.numel() for p in parameters)
        print(f"{a.cell} {count} parameters, {a.ranks} ranks: median {timed[len(timed) // 2]:.3f} s,"
              f" best {timed[0]:.3f} s a step, {memory:.0f} MB a rank")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cell", choices=["lstm", "momentum_lstm"], default="momentum_lstm")
    for key, value in dict(ranks=1, batch=20, time=70, vocabulary=10000, embedding=400, hidden=1150,
                           layers=3, steps=5, warmup=1).items():
        parser.add_argument("--" + key, type=int, default=value)
    parser.add_argument("--port", default="29511")
    arguments = parser.parse_args()
    if arguments.ranks == 1:
        run(0, arguments)
    else:
        mp.spawn(run, (arguments,), nprocs=arguments.ranks)
