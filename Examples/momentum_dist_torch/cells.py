# SPDX-License-Identifier: Apache-2.0

"""The table of cells, as `momentum-dist cells` prints it."""
from .driven import Driven, Orthogonal
from .encoder import Encoder
from .maps import CELLS, MapLayer
from .memories import Memory
from .norms import Normalised

BODIES = {"rnn": "tanh", "lstm": "lstm", "gru": "gru"}

# Body and drive.
DRIVEN = {
    "rnn_tanh": ("tanh", "plain"), "lstm": ("lstm", "plain"), "gru": ("gru", "plain"),
    "gru_unrolled": ("gru", "plain"),
    **{f"{drive}_{name}": (body, drive) for name, body in BODIES.items()
       for drive in ("momentum", "adam", "rmsprop", "nag")},
    **{f"sr{name}": (body, "sr") for name, body in BODIES.items()},
    "srlstm_mnist": ("lstm", "extrapolated"),
}

# Body, and whether the norms have windows.
NORMALISED = {
    **{f"ln_{name}": (body, False) for name, body in BODIES.items()},
    **{f"atn_{name}": (body, True) for name, body in BODIES.items()},
}

# Drive, and whether Cayley's map replaces the exponential.
ORTHOGONAL = {
    "exprnn": ("plain", False), "scornn": ("plain", True), "dtriv": ("plain", False),
    "momentum_dtriv": ("momentum", False), "adam_dtriv": ("adam", False),
    "rmsprop_dtriv": ("rmsprop", False), "srdtriv": ("sr", False),
}

# Measure, whether there is a gate, and the cell's own discretisation.
MEMORIES = {
    "hippo_legs": ("legs", True, "bilinear"), "hippo_legt": ("legt", True, "zoh"),
    "hippo_lagt": ("lagt", True, "zoh"), "lmu": ("lmu", False, "zoh"),
    "lmu_gated": ("lmu", True, "zoh"),
}


def cell(name, tensors, settings):
    """The layer of a cell."""
    if name in DRIVEN:
        norm = settings.text("model.normalization")
        if norm != "none":
            return Normalised(tensors, settings, *DRIVEN[name], norm == "assorted_time")
        return Driven(tensors, settings, *DRIVEN[name])
    if name in NORMALISED:
        body, windowed = NORMALISED[name]
        return Normalised(tensors, settings, body, "plain", windowed)
    if name in ORTHOGONAL:
        return Orthogonal(tensors, settings, *ORTHOGONAL[name])
    if name in MEMORIES:
        return Memory(tensors, settings, *MEMORIES[name])
    if name in CELLS or name == "graph":
        return MapLayer(name, tensors, settings)
    if name == "ndt":
        return Encoder(tensors, settings)
    raise ValueError(f"the cell {name} is not known here")
