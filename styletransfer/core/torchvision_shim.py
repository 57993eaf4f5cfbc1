"""Makes `import torchvision` work where torch is a CPU build and torchvision a CUDA build.

PyPI carries torchvision's CUDA build alone. Beside a CPU torch its compiled operators do not
load, and the import fails at the first operator that it wants to describe. Here the two that it
asks for are declared (not implemented: `ops.nms` stays unusable), after which models and
transforms work. On a healthy install this module only imports torchvision.
"""

from __future__ import annotations

import importlib
import sys

import torch

_OPERATORS = ("nms", "qnms")
_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_declared: list[torch.library.Library] = []  # the declarations live as long as this reference


def import_torchvision() -> None:
    """Import torchvision, declaring its missing operators first where that is needed.

    Raises whatever the import raises where the operators are not the reason.
    """
    if "torchvision" in sys.modules:
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        _forget_half_an_import()
        library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for name in _OPERATORS:
            library.define(f"{name}{_SIGNATURE}")  # type: ignore[no-untyped-call]
        _declared.append(library)
        importlib.import_module("torchvision")


def _forget_half_an_import() -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
