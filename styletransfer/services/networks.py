"""The networks that can be looked into, and whether their weights are here. Loads no torch."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from styletransfer.core.visualise.layers import NETWORKS, LayerInfo, network_layers
from webapp.errors import UserFacingError


def is_here(network: str) -> bool:
    """Whether its weights are on this server; those of VGG-19 have to be fetched first."""
    if network != "vgg19":
        return network in NETWORKS
    if settings.VGG19_WEIGHTS:
        return Path(settings.VGG19_WEIGHTS).is_file()
    return any(settings.CACHE_DIR.glob("vgg19-*.pth"))


def check_network(network: str) -> None:
    """Raises UserFacingError: `no_such_network`, `weights_missing`."""
    if network not in NETWORKS:
        raise UserFacingError(
            "no_such_network",
            "There is no such network.",
            f"Choose one of {', '.join(NETWORKS)}.",
            status=404,
            field="network",
        )
    if not is_here(network):
        raise UserFacingError(
            "weights_missing",
            "The weights of VGG-19 are not on this server yet.",
            "Paint one picture with the extractor VGG-19, which fetches them once; or an "
            "administrator sets VGG19_WEIGHTS to the file (vgg19-dcbb9e9d.pth from torchvision).",
            status=409,
            field="network",
        )


def find_layer(network: str, layer: str) -> LayerInfo | None:
    """The layer; None where there is no such network or layer."""
    layers = network_layers(network) if network in NETWORKS else ()
    return next((info for info in layers if info.name == layer), None)
