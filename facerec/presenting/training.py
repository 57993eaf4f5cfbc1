"""A training run and what came of it, in words and tables for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from facerec.core.training_config import TrainingConfig, TrainingKind
from facerec.forms.training import KINDS, MINERS
from facerec.models import Stage, TrainingRun

RULES = {
    "distance": "d = ‖x₁ − x₂‖²",
    "absolute": "σ(Σ w |x₁ − x₂| + b)",
    "chi2": "the same with χ²",
}
"""The decision rules as formulas."""

SHORT_RULES = {
    "distance": "squared distance",
    "absolute": "logistic head over |x₁ − x₂|",
    "chi2": "logistic head over χ²",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """kind and word: of a stamp; against: the same with whom it was compared. sentence: whether the
    new encoder is better, and how sure that is. more: what to keep in mind."""

    kind: str
    word: str
    against: str
    sentence: str
    more: str


def verdict(report: dict[str, Any]) -> Verdict:
    """Whether the training improved the encoder: only where the interval leaves 0 out."""
    far, old, new, gain = _main_figures(report)
    if far is None:
        return Verdict(
            "unsure",
            "Cannot be told",
            f"Cannot be told from {report['old']}",
            "The people held out are too few to tell whether the new encoder is better.",
            "Train with more people, or hold out a larger share.",
        )
    compared = (
        f"At one false match in {round(1 / float(far)):,} it knows {_percent(new['value'])} of the "
        f"pairs of {report['people']:,} people it never saw, where {report['old']} knows "
        f"{_percent(old['value'])}: {_points(gain['value'])} points, 95 % interval "
        f"{_points(gain['low'])} to {_points(gain['high'])}."
    )
    more = _caveats(report)
    if gain["low"] > 0:
        better = f"Better than {report['old']}"
        return Verdict("match", "Better", better, f"It improved. {compared}", more)
    if gain["high"] < 0:
        worse = f"Worse than {report['old']}"
        return Verdict("no", "Worse", worse, f"It became worse. {compared}", more)
    return Verdict(
        "unsure",
        "Not proven",
        f"Not shown to be better than {report['old']}",
        f"It is not shown to be better. {compared} The interval includes 0.",
        more,
    )


def _caveats(report: dict[str, Any]) -> str:
    parts = []
    if report.get("best_step") == 0:
        parts.append(
            "No step did better than the start for the people who choose, so the start was kept."
        )
    parts.append(
        "If the encoder that is compared with learnt from some of these people, its figures here "
        "flatter it."
    )
    return " ".join(parts)


def _main_figures(report: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """(FMR, old, new, gain) of plain d at the lowest FMR that the people held out support."""
    old, new = (
        next(r for r in report["rows"] if r["encoder"] == report[side] and r["rule"] == "distance")
        for side in ("old", "new")
    )
    for far in sorted(new["tar"], key=float):
        if new["tar"][far] is not None and new["gain"][far]["low"] is not None:
            return far, old["tar"][far], new["tar"][far], new["gain"][far]
    return None, None, None, None


def comparison_table(report: dict[str, Any]) -> dict[str, Any]:
    """{fars, rows, foot}: each row's cells are (figure, interval) or None."""
    fars = sorted(report["rows"][0]["tar"], key=float, reverse=True)
    rows = []
    for index, row in enumerate(report["rows"]):
        cells = [_cell(row["tar"][far]) for far in fars]
        gain = next((row["gain"][far] for far in reversed(fars) if row["gain"][far]), None)
        rows.append(
            {
                "encoder": row["encoder"],
                "is_new": row["encoder"] == report["new"],
                "formula": RULES[row["rule"]],
                "rule": row["rule"],
                "cells": [*cells, _cell(row["eer"]), _cell(row["accuracy"])],
                "gain": None if index == 0 else _gain(gain),
            }
        )
    return {
        "fars": [f"1 in {round(1 / float(far)):,}" for far in fars],
        "rows": rows,
        "foot": f"{report['people']:,} people held out, {report['photos']:,} photos: "
        f"{report['genuine']:,} pairs of one person, {report['impostor']:,} of two.",
    }


def best_rule(report: dict[str, Any]) -> str:
    """The rule of the new encoder whose gain over the old one's plain d is largest."""
    far = _main_figures(report)[0]
    if far is None:
        return "distance"
    new = [row for row in report["rows"] if row["encoder"] == report["new"]]
    return str(max(new, key=lambda row: row["gain"][far]["value"])["rule"])


def _cell(estimate: dict[str, Any] | None) -> tuple[str, str] | None:
    if estimate is None or estimate["value"] is None:
        return None
    if estimate["low"] is None or estimate["high"] is None:
        return _percent(estimate["value"]), ""
    interval = f"{100 * estimate['low']:.1f} to {100 * estimate['high']:.1f}"
    return _percent(estimate["value"]), interval


def _gain(estimate: dict[str, Any] | None) -> dict[str, str] | None:
    if estimate is None or estimate["low"] is None:
        return None
    tone = "know" if estimate["low"] > 0 else "refuse" if estimate["high"] < 0 else "quiet"
    return {
        "value": _points(estimate["value"]),
        "interval": f"{_points(estimate['low'])} to {_points(estimate['high'])}",
        "tone": tone,
        "word": {"know": "better", "refuse": "worse", "quiet": "not proven"}[tone],
    }


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(difference: float) -> str:
    """Percentage points with their sign, and a true minus."""
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def stages(run: TrainingRun) -> list[dict[str, Any]]:
    """The run's stations; state is done, now or later."""
    config = TrainingConfig.from_dict(run.config)
    shown = [Stage.ENCODING, Stage.PREPARING, Stage.TRAINING, Stage.JUDGING]
    if config.kind == TrainingKind.ADAPTER:
        shown.remove(Stage.PREPARING)
    words = {
        Stage.ENCODING: "Look at the photos",
        Stage.PREPARING: "Run the frozen layers",
        Stage.TRAINING: "Train",
        Stage.JUDGING: "Judge",
    }
    reached = shown.index(Stage(run.stage)) if run.stage in shown else -1
    if run.status == "done":
        reached = len(shown)
    return [
        {
            "word": words[stage],
            "state": "done" if place < reached else "now" if place == reached else "later",
        }
        for place, stage in enumerate(shown)
    ]


def facts(run: TrainingRun) -> list[tuple[str, str]]:
    """What was asked for, and what was found in the photos."""
    config = TrainingConfig.from_dict(run.config)
    kind = next(k["label"] for k in KINDS if k["value"] == config.kind)
    miner = next(m["label"] for m in MINERS if m["value"] == config.miner)
    if config.kind == TrainingKind.LAST_BLOCKS:
        kind = f"{kind} ({config.blocks})"
    rows = [("Photos", run.source or "–")]
    if run.photos:
        refused = sum(run.photos["refused"].values())
        rows += [
            ("People", f"{run.photos['people']:,}"),
            ("Photos used", f"{run.photos['used']:,}"),
            ("Photos refused", f"{refused:,}"),
        ]
    return [
        *rows,
        ("What learns", kind),
        ("Triplets", miner),
        ("Margin α", f"{config.margin:g}"),
        ("Batch P × K", f"{config.people_per_batch} × {config.photos_per_person}"),
        ("Steps", f"{config.steps:,}"),
        ("Learning rate", f"{config.learning_rate:g}"),
        ("Pull back to the start", f"{config.weight_decay:g}"),
        ("People held out", f"{config.held_out_fraction:.0%}"),
        ("Seed", str(config.seed)),
    ]
