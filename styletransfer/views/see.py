"""The pages of what the network sees: networks, layers, units. What was found in the house's own
pictures everybody sees; what was found in one's own, oneself alone."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from styletransfer.core.visualise.layers import NETWORKS, LayerInfo, network_layers
from styletransfer.models import Corpus, Mining
from styletransfer.presenting import see as presenting
from styletransfer.services import minings as services
from styletransfer.services.excited import ExcitedFolder
from styletransfer.services.networks import find_layer, is_here
from webapp.accounts.access import role_required
from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.jobs.models import Status

painters = role_required(Role.PAINTER)
LISTED = 20  # of one's own minings


def own_user(request: HttpRequest) -> User:
    return cast(User, request.user)


@painters
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    user = own_user(request)
    own = services.minings_for(user).filter(owner=user).exclude(corpus=Corpus.HOUSE)[:LISTED]
    context = {
        "networks": [network | _house_of(network["name"]) for network in presenting.networks()],
        "drawing": presenting.drawing(),
        "own": [
            (mining, presenting.corpus_name(mining), presenting.TITLES[mining.network])
            for mining in own
        ],
        "has_pictures": services.finished_pictures(user).exists(),
        "archive_hint": f"JPEG, PNG or WebP, in any folders, up to {services.MOST_PICTURES:,}. "
        "Only small copies of those that excite a unit are kept; the ZIP is deleted.",
    }
    return render(request, "styletransfer/see/home.html", context)


def _house_of(network: str) -> dict[str, Any]:
    """What was found in the house's own pictures: the strongest unit of each of layer 1 … 5."""
    mining = services.house_mining(network)
    layers = {info.group: info for info in network_layers(network)}
    strip = [(info, presenting.samples(mining, info, 1)) for info in layers.values()]
    return {
        "strip": [(info, tile) for info, tiles in strip for tile in tiles],
        "job": services.house_at_work(network),
    }


@painters
@require_GET
def network(request: HttpRequest, network: str) -> HttpResponse:
    context = context_of(request, network)
    context["groups"] = presenting.groups(network, context["mining"])
    return render(request, "styletransfer/see/network.html", context)


@painters
@require_GET
def layer(request: HttpRequest, network: str, layer: str) -> HttpResponse:
    info = layer_or_404(network, layer)
    context = context_of(request, network)
    mining, by_number = context["mining"], request.GET.get("by") == "number"
    wall = presenting.tiles(mining, info) if mining and mining.found else []
    if not by_number:
        wall = presenting.strongest_first(wall)
    url = presenting.layer_url(mining, network, layer)
    context |= {
        "info": info,
        "sees": presenting.sees(network, info),
        "wall": wall,
        "by": "number" if by_number else "activation",
        "by_number": f"{url}{'&' if '?' in url else '?'}by=number",
        "by_activation": url,
        "silent": sum(tile.activation is None for tile in wall),
        "layers": [
            {
                "name": other.name,
                "group": other.group,
                "url": presenting.layer_url(mining, network, other.name),
            }
            for other in network_layers(network)
        ],
    }
    return render(request, "styletransfer/see/layer.html", context)


@painters
@require_GET
def unit(request: HttpRequest, network: str, layer: str, unit: int) -> HttpResponse:
    info = unit_or_404(network, layer, unit)
    context = context_of(request, network)
    mining = context["mining"]
    found = bool(mining and mining.found)
    context |= {
        "info": info,
        "sees": presenting.sees(network, info),
        "unit": unit,
        "patches": presenting.patches(mining, info, unit) if found else [],
        "layer_facts": presenting.layer_facts(network, info),
        "wall_url": presenting.layer_url(mining, network, layer),
        "before": presenting.unit_url(mining, network, layer, (unit - 1) % info.units),
        "after": presenting.unit_url(mining, network, layer, (unit + 1) % info.units),
        "filter": found and info.filters,
        "excited": ExcitedFolder(network).facts(layer, unit),
    }
    return render(request, "styletransfer/see/unit.html", context)


def layer_or_404(network: str, layer: str) -> LayerInfo:
    info = find_layer(network, layer)
    if info is None:
        raise Http404
    return info


def unit_or_404(network: str, layer: str, unit: int) -> LayerInfo:
    """The unit's layer."""
    info = layer_or_404(network, layer)
    if not 0 <= unit < info.units:
        raise Http404
    return info


def context_of(request: HttpRequest, network: str) -> dict[str, Any]:
    """What every page of a network needs: the mining that is looked at, and the others there are.

    Raises Http404, where there is no such network, or the mining that `?in=` asks for is not this
    network's or not for these eyes.
    """
    if network not in NETWORKS:
        raise Http404
    user = own_user(request)
    asked = request.GET.get("in")
    mining = _asked(user, network, asked) if asked else services.house_mining(network)
    at_work = mining if mining and not mining.found else services.house_at_work(network)
    return {
        "network": network,
        "title": presenting.TITLES[network],
        "says": presenting.SAYS[network],
        "how_long": presenting.HOW_LONG[network],
        "network_url": presenting.network_url(mining, network),
        "here": is_here(network),
        "mining": mining,
        "job": at_work,
        "may_change": at_work is not None and services.may_change(user, at_work),
        "facts": presenting.mining_facts(at_work) if at_work else [],
        "corpora": _corpora(request, network, mining),
    }


def _asked(user: User, network: str, asked: str) -> Mining:
    try:
        mining = services.minings_for(user, network).filter(pk=UUID(asked)).first()
    except ValueError:
        mining = None
    if mining is None:
        raise Http404
    return mining


def _corpora(
    request: HttpRequest, network: str, mining: Mining | None
) -> list[tuple[str, str, bool]]:
    """Where patches can come from: (name, URL of this page with it, whether it is chosen)."""
    path, user = request.path, own_user(request)
    own = services.minings_for(user, network).filter(owner=user).exclude(corpus=Corpus.HOUSE)
    shown = [("The house’s pictures", path, mining is None or mining.corpus == Corpus.HOUSE)]
    for other in own.exclude(status__in=[Status.FAILED, Status.CANCELLED])[:LISTED]:
        chosen = mining is not None and mining.pk == other.pk
        shown.append((presenting.corpus_name(other), f"{path}?in={other.pk}", chosen))
    return shown
