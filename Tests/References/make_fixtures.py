#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the reference files in Tests/Fixtures.

    python3 Tests/References/make_fixtures.py        (numpy and h5py)

Independent of the Swift code in method, not only in language: gradients come from
complex-step differentiation, f'(x) = Im f(x + ih) / h with h = 1e-30, which is exact to
rounding and knows no backward formulas. The layout is that of `momentum-dist verify`.
"""
import math
import os

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "Fixtures")
H_STEP = 1e-30
rng = np.random.default_rng(20201206)


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def lstm(p, x, s, mu, epsilon, momentum):
    """h [T,N,H] and the final state of an LSTM, its input gathered by momentum or not."""
    h, c, v = s["h"], s["c"], s.get("v")
    hidden, ys = h.shape[1], []
    for t in range(x.shape[0]):
        g = x[t] @ p["W_ih"].T + p["b_ih"]
        if momentum:
            v = mu * v + epsilon * g
            g = v
        z = g + h @ p["W_hh"].T + p["b_hh"]
        i, f, n, o = (z[:, k * hidden:(k + 1) * hidden] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(n)
        h = sigmoid(o) * np.tanh(c)
        ys.append(h)
    final = {"h": h, "c": c}
    if momentum:
        final["v"] = v
    return np.stack(ys), final


def derivative(f, arrays, name):
    """The gradient of the scalar f(arrays) by arrays[name], one complex step per element."""
    base = arrays[name]
    out = np.zeros(base.shape)
    for index in np.ndindex(base.shape):
        moved = base.astype(complex)
        moved[index] += 1j * H_STEP
        out[index] = f({**arrays, name: moved}).imag / H_STEP
    return out


def recurrent(system, cases):
    with h5py.File(os.path.join(OUT, system + ".h5"), "w") as file:
        file.attrs["system"] = np.bytes_(system)
        file.attrs["format_version"] = 1
        momentum = system == "momentum_lstm"
        for name, (T, N, C, H) in cases.items():
            mu, epsilon = (0.6, 0.8) if momentum else (0.0, 1.0)
            arrays = {
                "W_ih": rng.normal(size=(4 * H, C)) * 0.5,
                "W_hh": rng.normal(size=(4 * H, H)) / math.sqrt(H),
                "b_ih": rng.normal(size=4 * H) * 0.3,
                "b_hh": rng.normal(size=4 * H) * 0.3,
                "x": rng.normal(size=(T, N, C)),
            }
            widths = {"h": H, "c": H, **({"v": 4 * H} if momentum else {})}
            for state, width in widths.items():
                scale = 0.0 if name == "zero_state" else 0.7
                arrays["s_" + state] = rng.normal(size=(N, width)) * scale
            up = {"y": rng.normal(size=(T, N, H))}
            for state, width in widths.items():
                up["final_" + state] = rng.normal(size=(N, width))

            def run(a):
                return lstm(a, a["x"], {k: a["s_" + k] for k in widths}, mu, epsilon, momentum)

            def loss(a):
                ys, final = run(a)
                return (ys * up["y"]).sum() + sum(
                    (final[k] * up["final_" + k]).sum() for k in widths)

            group = file.create_group(name)
            for key, value in dict(T=T, B=N, I=C, H=H, k_start=1).items():
                group.attrs[key] = np.int64(value)
            if momentum:
                group.attrs["mu"], group.attrs["epsilon"] = mu, epsilon
            ys, final = run(arrays)
            group["expected/loss"] = np.array([loss(arrays)])
            group["expected/y"] = ys
            group["input/x"] = arrays["x"]
            group["expected/grad_x"] = derivative(loss, arrays, "x")
            for key in ("W_ih", "W_hh", "b_ih", "b_hh"):
                group["params/" + key] = arrays[key]
                group["expected/grad_params/" + key] = derivative(loss, arrays, key)
            for state in widths:
                group["initial/" + state] = arrays["s_" + state]
                group["expected/final_" + state] = final[state]
                group["expected/grad_initial/" + state] = derivative(loss, arrays, "s_" + state)
            for key, value in up.items():
                group["upstream/" + key] = value


def optimizers():
    """Five steps of each rule, one element at a time, straight from the definitions."""
    rules = {
        "sgd_wd": ("SGD", dict(lr=0.1, weight_decay=0.01)),
        "nesterov": ("SGD", dict(lr=0.05, momentum=0.9, nesterov=1)),
        "rmsprop": ("RMSprop", dict(lr=1e-3, alpha=0.9, eps=1e-8)),
        "adam": ("Adam", dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8)),
        "adamw": ("AdamW", dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01)),
    }

    def step(kind, k, w, g, m, t):
        lr, decay = k["lr"], k.get("weight_decay", 0.0)
        if kind == "AdamW":
            w *= 1 - lr * decay
        else:
            g = g + decay * w
        if kind == "SGD":
            momentum = k.get("momentum", 0.0)
            m[0] = g if t == 1 else momentum * m[0] + g
            move = g + momentum * m[0] if k.get("nesterov") else m[0]
            return w - lr * move
        if kind == "RMSprop":
            m[0] = k["alpha"] * m[0] + (1 - k["alpha"]) * g * g
            return w - lr * g / (math.sqrt(m[0]) + k["eps"])
        m[0] = k["beta1"] * m[0] + (1 - k["beta1"]) * g
        m[1] = k["beta2"] * m[1] + (1 - k["beta2"]) * g * g
        mean, square = m[0] / (1 - k["beta1"] ** t), m[1] / (1 - k["beta2"] ** t)
        return w - lr * mean / (math.sqrt(square) + k["eps"])

    with h5py.File(os.path.join(OUT, "optimizers.h5"), "w") as file:
        file.attrs["system"] = np.bytes_("optimizers")
        for name, (kind, constants) in rules.items():
            group = file.create_group(name)
            group.attrs["class_name"] = np.bytes_(kind)
            for key, value in constants.items():
                group.attrs[key] = float(value)
            for tensor, shape in (("W", (2, 3)), ("b", (2,))):
                w = rng.normal(size=shape)
                gradients = rng.normal(size=(5, *shape))
                after = np.zeros_like(gradients)
                group[tensor + "0"] = w
                group["grads_" + tensor] = gradients
                for index in np.ndindex(shape):
                    value, memory = w[index], [0.0, 0.0]
                    for t in range(5):
                        value = step(kind, constants, value, gradients[t][index], memory, t + 1)
                        after[t][index] = value
                group["after_" + tensor] = after


def losses():
    z, target = rng.normal(size=(4, 3)), rng.integers(0, 3, 4)

    def cross_entropy(a):
        z = a["z"]
        return np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(4), target])

    with h5py.File(os.path.join(OUT, "losses.h5"), "w") as file:
        file.attrs["system"] = np.bytes_("losses")
        group = file.create_group("cross_entropy")
        group["logits"], group["target"] = z, target
        group["loss"] = np.array([cross_entropy({"z": z})])
        group["grad"] = derivative(cross_entropy, {"z": z}, "z")


os.makedirs(OUT, exist_ok=True)
for system in ("lstm", "momentum_lstm"):
    recurrent(system, {"zero_state": (3, 2, 1, 2), "random_state": (4, 3, 2, 3)})
optimizers()
losses()
