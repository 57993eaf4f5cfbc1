"""Mining finds what a plain search over everything finds; bounded, resumable, deterministic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from styletransfer.core.errors import CheckpointError
from styletransfer.core.visualise.findings import TOP, Findings
from styletransfer.core.visualise.layers import network_layers
from styletransfer.core.visualise.mining import mine
from styletransfer.core.visualise.networks import SeenNetwork


def _run(network: SeenNetwork, pictures, **options) -> Findings:
    findings = None
    for progress in mine(network, pictures, **options):
        findings = progress.findings
    assert findings is not None
    return findings


def _all(findings: Findings):
    return {layer: findings.best(layer) for layer in findings.layers}


@pytest.fixture(scope="module")
def found(seen, corpus) -> Findings:
    return _run(seen, corpus)


def _inside(info, features: torch.Tensor, extent: tuple[int, int]) -> torch.Tensor:
    """The same with 0 where a field of moderate size reaches beyond the picture."""
    inside = features.clone()
    if info.receptive.size <= 0.6 * min(extent):
        for row in range(features.shape[1]):
            for column in range(features.shape[2]):
                box = info.receptive.box_of(row, column)
                if box.within(extent) != box:
                    inside[:, row, column] = 0
    return inside


def test_it_finds_the_nine_best_pictures_of_every_unit(seen, corpus, found):
    """Against all maxima of all pictures, kept and sorted."""
    for info in seen.layers:
        plain = []
        for key, picture in corpus:
            with torch.inference_mode():
                [view] = seen.views(picture)
                features = seen(seen.prepare(view), [info.name])[info.name][0]
            plain.append((key, _inside(info, features, view.size)))
        for unit, hits in enumerate(found.best(info.name)):
            ranked = sorted(
                ((float(f[unit].max()), key) for key, f in plain), key=lambda pair: -pair[0]
            )
            expected = [pair for pair in ranked if pair[0] > 0][:TOP]
            assert [h.activation for h in hits] == pytest.approx(
                [a for a, _ in expected], rel=1e-4, abs=1e-5
            )
            assert len({h.key for h in hits}) == len(hits)  # one patch a picture
            for hit in hits:
                features = dict(plain)[hit.key]
                assert float(features[unit, hit.row, hit.column]) == pytest.approx(
                    hit.activation, rel=1e-4, abs=1e-5
                )


def test_it_tells_which_views_to_keep_and_which_to_forget(seen, corpus):
    kept: dict[str, Image.Image] = {}
    for progress in mine(seen, corpus, batch=4):
        kept |= progress.entered
        kept = {key: view for key, view in kept.items() if key in progress.findings.kept()}
        assert set(kept) == progress.findings.kept()
    named = {
        hit.key
        for layer in progress.findings.layers
        for unit in progress.findings.best(layer)
        for hit in unit
    }
    assert named == set(kept)
    assert progress.done == len(corpus)


def test_a_run_that_was_broken_off_goes_on_to_the_same_findings(seen, corpus, found, tmp_path):
    path = tmp_path / "mining.safetensors"
    for progress in islice(mine(seen, corpus), 1):
        path.write_bytes(progress.findings.to_bytes())
    state = Findings.load(path)
    assert state.done == 8
    resumed = _run(seen, corpus[state.done :], state=state)
    assert _all(resumed) == _all(found)
    assert resumed.to_bytes() == found.to_bytes()


def test_the_same_steps_make_the_same_bytes(seen, corpus, found):
    assert _run(seen, corpus).to_bytes() == found.to_bytes()


def test_of_equal_pictures_the_first_ones_are_kept(seen, corpus):
    _, picture = corpus[0]
    findings = _run(seen, [(str(i), picture) for i in range(12)])
    fired = [unit for layer in findings.layers for unit in findings.best(layer) if unit]
    assert fired
    for hits in fired:
        assert [hit.key for hit in hits] == [str(i) for i in range(TOP)]
    assert findings.kept() == {str(i) for i in range(TOP)}


def test_a_unit_that_does_not_fire_has_no_patch(seen):
    """Black pictures excite few units."""
    findings = _run(seen, [("black", Image.new("RGB", (64, 64)))])
    per_unit = [len(hits) for layer in findings.layers for hits in findings.best(layer)]
    assert 0 in per_unit
    assert all(
        hit.activation > 0 for layer in findings.layers for u in findings.best(layer) for hit in u
    )


def test_pictures_that_cannot_be_read_are_counted_and_passed_over(seen, corpus):
    findings = _run(seen, [("broken", None), *corpus[:2], ("also", None)])
    assert (findings.done, findings.unreadable, findings.faceless) == (4, 2, 0)
    assert findings.kept() <= {corpus[0][0], corpus[1][0]}


@given(
    st.lists(
        st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=2, max_size=2),
        min_size=1,
        max_size=30,
    ),
    st.integers(1, 7),
)
@settings(deadline=None)
def test_the_running_nine_are_those_of_a_stable_sort(values: Sequence[Sequence[float]], step: int):
    findings = Findings("lite", "v", {"layer": 2})
    for start in range(0, len(values), step):
        part = np.array(values[start : start + step], np.float32)
        zeros = np.zeros(part.shape, np.int16)
        keys = [str(start + i) for i in range(len(part))]
        findings.take(keys, {"layer": (part, zeros, zeros)})
    for unit, hits in enumerate(findings.best("layer")):
        ranked = sorted(range(len(values)), key=lambda i: -values[i][unit])
        expected = [str(i) for i in ranked if values[i][unit] > 0][:TOP]
        assert [hit.key for hit in hits] == expected


def test_findings_of_other_weights_do_not_go_on(seen, corpus):
    other = Findings("lite", "other", {i.name: i.units for i in network_layers("lite")})
    with pytest.raises(ValueError):
        next(mine(seen, corpus, state=other))


def test_a_file_that_holds_no_findings_is_named(tmp_path):
    path = tmp_path / "mining.safetensors"
    path.write_bytes(b"not a state")
    with pytest.raises(CheckpointError):
        Findings.load(path)


@pytest.mark.parametrize("size", [(4000, 16), (16, 4000), (16, 16), (640, 480), (250, 250)])
def test_every_picture_that_the_house_takes_is_large_enough_for_the_network(seen, size):
    [view] = seen.views(Image.new("RGB", size, "red"))
    assert max(view.size) <= 256
    assert min(view.size) >= 32
    features = seen(seen.prepare(view), ["relu5_1"])["relu5_1"]
    assert min(features.shape[2:]) >= 2
    if max(size) <= 256 and min(size) >= 32:
        assert view.size == size
