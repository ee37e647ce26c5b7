"""The table of cells."""
from .driven import Driven, Orthogonal
from .encoder import Encoder
from .maps import CELLS, MapLayer
from .memories import Memory
from .norms import Normalised


def cell(name, tensors, settings):
    """The layer of a system in the table of `momentum-dist cells`."""
    if name == "ndt":
        return Encoder(tensors, settings)
    memories = {
        "hippo_legs": ("legs", True, "bilinear"), "hippo_legt": ("legt", True, "zoh"),
        "hippo_lagt": ("lagt", True, "zoh"), "lmu": ("lmu", False, "zoh"),
        "lmu_gated": ("lmu", True, "zoh")}
    if name in memories:
        return Memory(tensors, settings, *memories[name])
    if name in CELLS or name == "graph":
        return MapLayer(name, tensors, settings)
    if name in ("exprnn", "scornn"):
        return Orthogonal(tensors, settings, "plain", cayley=name == "scornn")
    if name == "srlstm_mnist":
        return Driven(tensors, settings, "lstm", "extrapolated")
    words = {"rnn_tanh": "rnn", "gru_unrolled": "gru"}.get(name, name)
    kind = next((k for k in ("momentum", "adam", "rmsprop", "nag", "sr", "ln", "atn")
                 if words.startswith(k)), "")
    body = words[len(kind):].lstrip("_").replace("rnn", "tanh")
    norm = {"ln": "layer", "atn": "assorted_time"}.get(kind, settings.text("model.normalization"))
    drive = kind if kind not in ("", "ln", "atn") else "plain"
    if body == "dtriv":
        return Orthogonal(tensors, settings, drive)
    if body not in ("tanh", "lstm", "gru"):
        raise ValueError(f"the cell {name} is not known here")
    if norm != "none":
        return Normalised(tensors, settings, body, drive, norm == "assorted_time")
    return Driven(tensors, settings, body, drive)
