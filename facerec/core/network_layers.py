"""The encoder's layers by name: what its stem and its residual blocks give, after their ReLU.

Layer 1 is the stem, layers 2 to 5 are the blocks by their width: `stem`, `res2_1` … `res5_4`.
"""

from __future__ import annotations

from collections.abc import Collection

from torch import Tensor
from torch.nn import functional

from facerec.core.encoder import FaceNet

BLOCKS = (
    *("res2_1", "res2_2", "res2_3"),
    *("res3_1", "res3_2", "res3_3", "res3_4"),
    *("res4_1", "res4_2", "res4_3"),
    *("res5_1", "res5_2", "res5_3", "res5_4"),
)
LAYERS = ("stem", *BLOCKS)


def activations(net: FaceNet, chips: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
    """The activations of these layers, no deeper than the deepest of them.

    chips: (N, 3, H, W) RGB in 0 … 255, as `FaceNet` takes them. Gives {layer: (N, C, h, w)}, none
    of them negative; differentiable with respect to the chips. Raises KeyError for an unknown
    layer.
    """
    wanted = set(layers)
    if unknown := wanted - set(LAYERS):
        raise KeyError(f"the encoder has no layer {', '.join(sorted(unknown))}")
    taken: dict[str, Tensor] = {}
    x = net.stem((chips - net.mean) / 256).relu()
    if "stem" in wanted:
        taken["stem"] = x
    x = functional.max_pool2d(x, kernel_size=3, stride=2)
    for name, block in zip(BLOCKS, net.blocks, strict=True):
        if len(taken) == len(wanted):
            break
        x = block(x)
        if name in wanted:
            taken[name] = x
    return taken
