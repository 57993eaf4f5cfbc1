"""Sounds to begin with, each computed by a formula: nothing is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from styletransfer.core.media.registry import Starter
from styletransfer.core.media.sound.files import RATE
from styletransfer.core.media.types import Sound

Samples = npt.NDArray[np.float64]

_SECONDS = 8.0
_PEAK = 0.8
_FADE = 0.02
_MELODY = (0, 4, 7, 12, 9, 7, 4, 2, 0, 7, 4, 0)
"""Semitones above the tonic."""


def _bells() -> Sound:
    """A peal. Partials after Risset, "An Introductory Catalogue of Computer Synthesized Sounds"
    (1969), number 430: ratio to the nominal, amplitude, share of the longest ring."""
    ratios = np.array([0.56, 0.56, 0.92, 0.92, 1.19, 1.7, 2.0, 2.74, 3.0, 3.76, 4.07])
    beats = np.array([0.0, 1.0, 0.0, 1.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    levels = np.array([1.0, 0.67, 1.0, 1.8, 2.67, 1.67, 1.46, 1.33, 1.33, 1.0, 1.33])
    rings = np.array([1.0, 0.9, 0.65, 0.55, 0.325, 0.35, 0.25, 0.2, 0.15, 0.1, 0.075])

    def strike(semitones: int, seconds: float) -> Samples:
        t = _time(seconds)[None]
        frequencies = (440.0 * 2 ** (semitones / 12) * ratios + beats)[:, None]
        decays = np.exp(-6.9 * t / (3.5 * rings[:, None]))
        ringing = (levels[:, None] * decays * np.sin(2 * np.pi * frequencies * t)).sum(0)
        return np.asarray(ringing * np.minimum(t[0] / 0.004, 1))

    strikes = [(0.62 * i, strike(s, 4.0)) for i, s in enumerate(_MELODY)]
    return _finish(_mix(strikes))


def _plucked() -> Sound:
    """A phrase on a string: Karplus and Strong, "Digital Synthesis of Plucked-String and Drum
    Timbres" (1983), a delay line whose neighbours are averaged each time around."""
    rng = np.random.default_rng(1)

    def pluck(semitones: int, seconds: float) -> Samples:
        period = round(RATE / (146.83 * 2 ** (semitones / 12)) - 0.5)
        line, rounds = rng.uniform(-1, 1, period), []
        line -= line.mean()
        for _ in range(int(seconds * RATE / period)):
            rounds.append(line)
            line = 0.998 * 0.5 * (line + np.roll(line, 1))
        plucked = np.concatenate(rounds)
        return plucked * np.exp(-_time(len(plucked) / RATE) / 0.45)

    notes = [(0.31 * i, pluck(s, 1.5)) for i, s in enumerate(_MELODY + _MELODY[::-1])]
    return _finish(_mix(notes))


def _voice() -> Sound:
    """Vowels, sung with some vibrato: a glottal source (12 dB an octave) under the formants of
    Peterson and Barney, "Control Methods Used in a Study of the Vowels" (1952), women."""
    vowels = np.array([[850, 1220, 2810], [610, 2330, 2990], [310, 2790, 3310],
                       [590, 920, 2710], [370, 950, 2670], [850, 1220, 2810]])  # fmt: skip
    t = _time(_SECONDS)
    at = np.linspace(0, _SECONDS, 2 * len(vowels))  # each is held, then glides to the next
    formants = [np.interp(t, at, np.repeat(formant, 2)) for formant in vowels.T]
    steps = np.array([0, 2, 4, 5, 4, 2, 7, 5, 4, 2, 0, 0])[(t / _SECONDS * 12).astype(int) % 12]
    glide = np.convolve(np.pad(steps, 600, "edge"), np.hanning(1201) / 600, "same")[600:-600]
    pitch = 220 * 2 ** (glide / 12) * (1 + 0.012 * np.sin(2 * np.pi * 5.2 * t))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    total = np.zeros_like(t)
    for harmonic in range(1, int(RATE / 2 / pitch.max())):
        frequency = harmonic * pitch
        gain = sum(
            level / (1 + ((frequency - f) / width) ** 2)
            for f, level, width in zip(formants, (1.0, 0.6, 0.3), (90, 110, 170), strict=True)
        )
        total += (0.01 + gain) / harmonic * np.sin(harmonic * phase)
    syllables = 0.25 + 0.75 * np.abs(np.sin(np.pi * t / _SECONDS * 12)) ** 0.5
    return _finish(total * syllables)


def _drums() -> Sound:
    """A loop: a kick whose pitch falls, a snare of tone and noise, a hi-hat of high noise."""
    rng = np.random.default_rng(2)

    def kick() -> Samples:
        t = _time(0.35)
        falling = np.sin(2 * np.pi * (48 * t + 8 * (1 - np.exp(-t / 0.03))))
        return np.asarray(falling * np.exp(-t / 0.1))

    def snare() -> Samples:
        t = _time(0.25)
        noise = _band(rng.standard_normal(len(t)), 1500, 9000)
        return (0.4 * np.sin(2 * np.pi * 190 * t) + 0.6 * noise) * np.exp(-t / 0.06)

    def hat(ring: float) -> Samples:
        t = _time(0.2)
        return 0.3 * _band(rng.standard_normal(len(t)), 6500, 11000) * np.exp(-t / ring)

    hits: list[tuple[float, Samples]] = []
    eighth = 0.25
    for eighths in range(int(_SECONDS / eighth)):
        at = eighths * eighth
        hits.append((at, hat(0.09 if eighths % 8 == 7 else 0.025)))
        if eighths % 8 in (0, 3, 4):
            hits.append((at, kick()))
        if eighths % 4 == 2:
            hits.append((at, 0.7 * snare()))
    return _finish(_mix(hits))


def _rain() -> Sound:
    """Many drops, each a bubble's short falling sine (van den Doel, "Physically Based Models for
    Liquid Sounds", 2005: f(t) = f0 (1 + σ t), loudness of a power law), over a fine hiss."""
    rng = np.random.default_rng(3)
    total = 0.05 * _band(rng.standard_normal(len(_time(_SECONDS))), 900, 9000)
    for _ in range(1400):
        t = _time(0.03)
        damping, pitch = rng.uniform(150, 420), rng.uniform(900, 5500)
        level = 0.12 * rng.pareto(2.2)
        drop = level * np.sin(2 * np.pi * pitch * (1 + 6 * t) * t) * np.exp(-damping * t)
        at = rng.integers(0, len(total) - len(t))
        total[at : at + len(t)] += drop
    return _finish(np.tanh(1.5 * total))


def _crickets() -> Sound:
    """Three crickets: pulses of a pure tone in chirps, each with a pitch and a beat of its own."""
    rng = np.random.default_rng(4)
    t = _time(_SECONDS)
    total = 0.012 * _band(rng.standard_normal(len(t)), 150, 2500)
    for pitch, chirp_rate, level in ((4600, 2.4, 1.0), (4150, 1.7, 0.6), (5050, 3.1, 0.35)):
        chirp = (t * chirp_rate + rng.uniform()) % 1
        seconds = chirp / chirp_rate  # since this chirp began: 4 pulses, 27 a second
        pulse = np.sin(np.pi * 27.0 * seconds) ** 2 * (seconds < 4 / 27.0)
        phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.03 * seconds)) / RATE
        total += level * pulse * np.sin(phase)
    return _finish(total)


def _time(seconds: float) -> Samples:
    return np.arange(int(seconds * RATE)) / RATE


def _mix(events: Sequence[tuple[float, Samples]]) -> Samples:
    """Each at its second, in `_SECONDS` in all."""
    total = np.zeros(int(_SECONDS * RATE))
    for second, samples in events:
        at = int(second * RATE)
        part = samples[: max(len(total) - at, 0)]
        total[at : at + len(part)] += part
    return total


def _band(noise: Samples, low: float, high: float) -> Samples:
    """What lies between two frequencies in Hz, the rest faded out; deviation 1."""
    frequency = np.fft.rfftfreq(len(noise), 1 / RATE)
    gain = 1 / (1 + (low / np.maximum(frequency, 1)) ** 6) / (1 + (frequency / high) ** 8)
    shaped = np.fft.irfft(np.fft.rfft(noise) * np.sqrt(gain), len(noise))
    return np.asarray(shaped / shaped.std())


def _finish(samples: npt.NDArray[Any]) -> Sound:
    """One peak level for all, no clicks at the ends."""
    ramp = np.minimum(np.arange(len(samples)) / (_FADE * RATE), 1)
    shaped = samples * np.minimum(ramp, ramp[::-1])
    return Sound((_PEAK * shaped / np.abs(shaped).max()).astype(np.float32)[None], RATE)


STARTERS: tuple[Starter, ...] = (
    Starter("bells", "A peal of bells", _bells),
    Starter("string", "A plucked string", _plucked),
    Starter("voice", "A voice singing vowels", _voice),
    Starter("drums", "A drum loop", _drums),
    Starter("rain", "Rain", _rain),
    Starter("crickets", "Crickets at night", _crickets),
)
