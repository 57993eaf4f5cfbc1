"""In processes of their own: an import happens once."""

from __future__ import annotations

import subprocess
import sys


def in_a_fresh_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_models_can_be_imported_and_run() -> None:
    assert (
        in_a_fresh_python(
            "from styletransfer.core.torchvision_shim import import_torchvision as i; i()\n"
            "import torch\n"
            "from torchvision.models.vgg import make_layers\n"
            "from torchvision.transforms import v2\n"
            "print(tuple(make_layers([8, 'M'])(v2.Resize(8)(torch.rand(1, 3, 9, 9))).shape))"
        )
        == "(1, 8, 4, 4)"
    )


def test_a_healthy_install_is_left_alone() -> None:
    assert (
        in_a_fresh_python(
            "import sys, types\n"
            "sys.modules['torchvision'] = types.ModuleType('torchvision')\n"
            "from styletransfer.core import torchvision_shim as shim; shim.import_torchvision()\n"
            "print(shim._declared)"
        )
        == "[]"
    )


def test_other_failures_are_not_hidden() -> None:
    assert (
        in_a_fresh_python(
            "import importlib\n"
            "from styletransfer.core import torchvision_shim as shim\n"
            "def broken(name): raise RuntimeError('something else')\n"
            "importlib.import_module = broken\n"
            "try: shim.import_torchvision()\n"
            "except RuntimeError as error: print(error, shim._declared)"
        )
        == "something else []"
    )
