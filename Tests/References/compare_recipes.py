# SPDX-License-Identifier: Apache-2.0

"""Compares configs/paper with the recipes of the paper's authors, key by key.

    python3 Tests/References/compare_recipes.py [configs/paper]

Prints a line for each configuration and key: what the recipe has, what the configuration has, and
"equal", or why they differ. Ends with 1 if a difference has no reason in this file, if a key of a
configuration is not compared, or if a recipe has no configuration.

The facts are those of the repository minhtannguyen/MomentumRNN at commit 56e57e5: the command
lines of mnist-timit/recipes.md and ptb/recipes.md, and the defaults of the scripts that they start
(mnist.py, timit.py, timit_div.py, main_momentum.py, momentumnet.py, orthogonal.py). Where the
recipes have no line for a row of the paper's tables, the names of the published logs have the
constants ("logs").

What has no key of ours is not compared: main_momentum.py measures the test part as one column and
divides losses by one prediction too many a chunk; mnist.py reports the best epoch's test accuracy.
"""

import pathlib
import sys

# Settings of a script regardless of its command line.
MNIST = {
    "epochs": 150, "batch_size": 128, "dataset.task": "classification",
    "optimizer.name": "rmsprop", "optimizer.epsilon": 1e-8, "optimizer.weight_decay": 0,
    "optimizer.momentum": 0, "optimizer.schedule": "constant", "optimizer.clip_norm": 1.0,
    "dataset.validation_count": 0, "seed": 0, "model.layers": 1,
}
MNIST_LSTM = MNIST | {
    "optimizer.learning_rate": 1e-3, "optimizer.alpha": 0.9, "model.gate_bias": 1.0,
}
ORTHOGONAL = {
    "model.orthogonal_start": "cayley", "model.project_every": 100,
    "model.rebase_gradient": "compat",
}
MNIST_DTRIV = MNIST | ORTHOGONAL | {
    "dataset.permutation_seed": 0, "dataset.view": "permuted", "optimizer.alpha": 0.99,
    "optimizer.orthogonal_rule": "rmsprop",
}
TIMIT = {
    "epochs": 700, "dataset.task": "next_frame", "optimizer.name": "adam",
    "optimizer.beta1": 0.9, "optimizer.beta2": 0.999, "optimizer.epsilon": 1e-8,
    "optimizer.weight_decay": 0, "optimizer.schedule": "constant", "seed": 0, "model.layers": 1,
}
TIMIT_LSTM = TIMIT | {
    "batch_size": 32, "optimizer.learning_rate": 1e-4, "optimizer.clip_norm": 0,
    "model.gate_bias": -4.0,
}
# timit_div.py starts from henaff angles: its --init has that default, and no recipe changes it.
TIMIT_DTRIV = TIMIT | ORTHOGONAL | {
    "batch_size": 128, "optimizer.learning_rate": 1e-3, "optimizer.clip_norm": 1.0,
    "optimizer.orthogonal_rule": "rmsprop", "optimizer.alpha": 0.99,
    "optimizer.orthogonal_learning_rate": 2e-4, "model.rebase_every": 0,
    "model.orthogonal_start": "henaff",
}
PTB = {
    "epochs": 500, "batch_size": 20, "dataset.task": "language_model", "seed": 0,
    "model.hidden_size": 1150, "model.layers": 3, "model.gate_bias": 1.0,
    "language_model.embedding_size": 400, "language_model.tied": True,
    "language_model.chunk_length": 70, "language_model.random_chunks": True,
    "language_model.evaluation_columns": 10, "language_model.embedding_dropout": 0.1,
    "language_model.input_dropout": 0.4, "language_model.layer_dropout": 0.25,
    "language_model.output_dropout": 0.4, "language_model.weight_dropout": 0.5,
    "language_model.activation_penalty": 2.0, "language_model.temporal_penalty": 1.0,
    "optimizer.name": "sgd", "optimizer.learning_rate": 30, "optimizer.weight_decay": 1.2e-6,
    "optimizer.momentum": 0, "optimizer.clip_norm": 0.25, "optimizer.averaging_window": 5,
}


def lstm(cell, hidden, **constants):
    """The model of a line with an LSTM: --mu, --epsilon, --mus (beta) and --restart."""
    return {"model.cell": cell, "model.hidden_size": hidden} | {
        f"model.{name}": value for name, value in constants.items()}


def dtriv(cell, hidden, K, rate, orthogonal_rate, **constants):
    """The model and the rates of a line with DTRIV; K = 0 stands for infty."""
    return lstm(cell, hidden, **constants) | {
        "model.rebase_every": K, "optimizer.learning_rate": rate,
        "optimizer.orthogonal_learning_rate": orthogonal_rate}


RECIPES = {}
for view, name in [("pixels", "mnist"), ("permuted", "pmnist")]:
    pixels = view == "pixels"
    base = MNIST_LSTM | {"dataset.view": view} | ({} if pixels else {"dataset.permutation_seed": 0})
    epsilon = 0.6 if pixels else 1.0
    for hidden in [128, 256]:
        RECIPES[f"table1-{name}-lstm-{hidden}"] = base | lstm("lstm", hidden)
        RECIPES[f"table1-{name}-momentum-lstm-{hidden}"] = base | lstm(
            "momentum_lstm", hidden, mu=0.6, epsilon=epsilon)
    RECIPES[f"table1-{name}-adam-lstm-256"] = base | lstm(
        "adam_lstm", 256, mu=0.6, epsilon=epsilon, beta=0.1 if pixels else 0.01)
    RECIPES[f"table1-{name}-rmsprop-lstm-256"] = base | lstm(
        "rmsprop_lstm", 256, mu=0.0, epsilon=epsilon, beta=0.9 if pixels else 0.01)
    RECIPES[f"table1-{name}-srlstm-256"] = base | lstm(
        "srlstm_mnist", 256, epsilon=1.0 if pixels else 0.9, restart=2 if pixels else 40)
for hidden in [84, 120, 158]:
    RECIPES[f"table2-timit-lstm-{hidden}"] = TIMIT_LSTM | lstm("lstm", hidden)
    RECIPES[f"table2-timit-momentum-lstm-{hidden}"] = TIMIT_LSTM | lstm(
        "momentum_lstm", hidden, mu=0.3, epsilon=0.1)
RECIPES["table2-timit-adam-lstm-158"] = TIMIT_LSTM | lstm(
    "adam_lstm", 158, mu=0.3, epsilon=0.1, beta=0.999)
RECIPES["table2-timit-rmsprop-lstm-158"] = TIMIT_LSTM | lstm(
    "rmsprop_lstm", 158, mu=0.0, epsilon=0.1, beta=0.999)
RECIPES["table2-timit-srlstm-158"] = TIMIT_LSTM | lstm(
    "srlstm_mnist", 158, epsilon=0.1, restart=2)
RECIPES["table3-ptb-lstm"] = PTB | {"model.cell": "lstm"}
RECIPES["table3-ptb-momentum-lstm"] = PTB | {
    "model.cell": "momentum_lstm", "model.mu": 0.0, "model.epsilon": 0.6}
RECIPES["table3-ptb-srlstm"] = PTB | {  # logs
    "model.cell": "srlstm", "model.epsilon": 0.6, "model.restart": 2}
for hidden, K, rate, orthogonal_rate, mu, epsilon in [
    (170, 1, 7e-4, 2e-4, 0.6, 0.9), (360, 0, 7e-4, 5e-5, 0.3, 0.3), (512, 0, 3e-4, 7e-5, 0.3, 0.3),
]:
    RECIPES[f"table4-pmnist-dtriv-{hidden}"] = MNIST_DTRIV | dtriv(
        "dtriv", hidden, K, rate, orthogonal_rate)
    RECIPES[f"table4-pmnist-momentum-dtriv-{hidden}"] = MNIST_DTRIV | dtriv(
        "momentum_dtriv", hidden, K, rate, orthogonal_rate, mu=mu, epsilon=epsilon)
for cell, constants in [  # logs
    ("adam_dtriv", {"mu": 0.3, "epsilon": 0.3, "beta": 0.8}),
    ("rmsprop_dtriv", {"mu": 0.0, "epsilon": 0.3, "beta": 0.9}),
    ("srdtriv", {"epsilon": 0.3, "restart": 2}),
]:
    name = cell.replace("_", "-")
    RECIPES[f"table4-pmnist-{name}-512"] = MNIST_DTRIV | dtriv(
        cell, 512, 0, 3e-4, 7e-5, **constants)
for hidden in [224, 322]:
    RECIPES[f"table5-timit-dtriv-{hidden}"] = TIMIT_DTRIV | lstm("dtriv", hidden)
    RECIPES[f"table5-timit-momentum-dtriv-{hidden}"] = TIMIT_DTRIV | lstm(
        "momentum_dtriv", hidden, mu=0.3, epsilon=0.1)

# The program's defaults, for keys that a configuration leaves out.
DEFAULTS = {
    "seed": 1, "dataset.permutation_seed": 1, "model.layers": 1, "model.gate_bias": 1.0,
    "model.orthogonal_start": "cayley",
    "model.project_every": 100, "model.rebase_every": 1, "model.rebase_gradient": "exact",
    "optimizer.alpha": 0.99, "optimizer.beta1": 0.9, "optimizer.beta2": 0.999,
    "optimizer.epsilon": 1e-8, "optimizer.weight_decay": 0, "optimizer.momentum": 0,
    "optimizer.clip_norm": 1.0, "optimizer.schedule": "constant",
    "optimizer.orthogonal_rule": "same", "dataset.validation_count": 1000,
    "optimizer.averaging_window": 0,
}

# Intended differences: the key, the recipe's value, ours, and the reason.
MEANT = [
    ("seed", 0, 1, "random numbers are other ones in any case"),
    ("dataset.permutation_seed", 0, 1, "measured with our order; theirs is permutation: numpy, permutation_seed: 0"),
    ("dataset.validation_count", 0, 5000, "the authors choose the best epoch by the test set"),
    ("model.rebase_gradient", "compat", "exact",
     "at a change of base the authors' gradient is not that of the loss"),
]

# Keys without a counterpart in a recipe, and the reason why they change nothing.
OURS = {
    "dataset.file": "where the data lie",
    "shards": "how a batch is cut among ranks",
}

# Cells whose drive has no mu: the authors' cell takes it as 0.
WITHOUT_MU = {"rmsprop_lstm", "rmsprop_dtriv"}


def scalar(text):
    """A plain value of YAML as a Python value."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text.strip("'\"")


def read(path):
    """The keys of a configuration. These files have two levels and one value per line."""
    keys, section = {}, ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.split("#", 1)[0].rstrip()
        if not line:
            continue
        key, colon, value = line.strip().partition(":")
        if not colon:
            sys.exit(f"{path}:{number}: is not a line `key: value`")
        if not line.startswith(" "):
            section = ""
        if value.strip():
            keys[section + key] = scalar(value.strip())
        else:
            section = key + "."
    return keys


def verdict(key, recipe, ours, cell):
    """The reason why a value is right; None if it is wrong."""
    if ours == recipe:
        return "equal"
    if key == "optimizer.orthogonal_rule" and ours == "same" and recipe == "rmsprop":
        return "equal"  # the rule of the other parameters, which is rmsprop in these
    if key == "model.mu" and ours is None and recipe == 0 and cell in WITHOUT_MU:
        return "equal"  # the cell is the one with mu = 0
    for name, theirs, mine, reason in MEANT:
        if (key, recipe, ours) == (name, theirs, mine):
            return f"meant: {reason}"
    return None


def main():
    package = pathlib.Path(__file__).resolve().parents[2]
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else package / "configs/paper"
    found = {path.stem: read(path) for path in sorted(folder.glob("*.yaml"))}
    wrong, compared = [], 0
    for name in sorted(RECIPES.keys() | found.keys()):
        if name not in found or name not in RECIPES:
            what = "no configuration" if name in RECIPES else "no recipe"
            print(f"{name:38} {what}")
            wrong.append(name)
            continue
        recipe, ours = RECIPES[name], found[name]
        for key in sorted(recipe.keys() | ours.keys()):
            if key in recipe:
                value = ours.get(key, DEFAULTS.get(key))
                if key == "optimizer.orthogonal_rule" and ours.get("optimizer.name") != "rmsprop":
                    value = ours.get(key)
                reason = verdict(key, recipe[key], value, ours.get("model.cell"))
            else:
                value, reason = ours[key], OURS.get(key)
            compared += 1
            print(f"{name:38} {key:36} {recipe.get(key, '-')!s:>15} {value!s:>15} "
                  f"{reason or 'DIFFERENT'}")
            if reason is None:
                wrong.append(f"{name} {key}")
    print(f"{len(found)} configurations, {compared} values, {len(wrong)} unexplained differences")
    for line in wrong:
        print(f"unexplained: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
