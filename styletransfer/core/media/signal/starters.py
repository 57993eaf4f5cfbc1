"""Signals to begin with, by formula: an electrocardiogram, an electroencephalogram, quakes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from styletransfer.core.media.registry import Starter
from styletransfer.core.media.types import Signal

_Array = npt.NDArray[np.float64]

_WAVES = np.array(
    [
        (-np.pi / 3, 1.2, 0.25),  # P
        (-np.pi / 12, -5.0, 0.1),  # Q
        (0.0, 30.0, 0.1),  # R
        (np.pi / 12, -7.5, 0.1),  # S
        (np.pi / 2, 0.75, 0.4),  # T
    ]
)
"""Angle, size a and width b of each wave of a beat: McSharry et al. (2003), table I."""


def electrocardiogram(
    seconds: float = 20.0, rate: float = 250.0, *, beats_a_minute: float = 72.0, seed: int = 1
) -> Signal:
    """One lead, mV: P, QRS and T once around a circle, at a heart rate that breathes.

    McSharry, Clifford, Tarassenko and Smith, "A Dynamical Model for Generating Synthetic
    Electrocardiogram Signals" (2003), equation 1, on its limit cycle (x² + y² = 1, where the
    model's own motion ends up), so that only the angle θ and the voltage z are integrated:
    ż = −Σ a Δθ exp(−Δθ² / 2b²) − (z − z0). The baseline z0 is 0.005 · sin(2π 0.25 Hz t), as the
    authors' program has it; scaled with z that is about the 0.15 mV of the paper.
    """
    n, finer = round(seconds * rate), 4  # the R wave is short: integrate in finer steps
    h = 1 / (rate * finer)
    beat = _intervals(n * finer, rate * finer, 60 / beats_a_minute, seed)
    theta = np.cumsum(2 * np.pi * h / beat) - np.pi / 2
    away = (theta[:, None] - _WAVES[:, 0] + np.pi) % (2 * np.pi) - np.pi
    push = -(_WAVES[:, 1] * away * np.exp(-(away**2) / (2 * _WAVES[:, 2] ** 2))).sum(1)
    push += 0.005 * np.sin(2 * np.pi * 0.25 * h * np.arange(n * finer))
    z, decay = np.empty(n * finer), np.exp(-h)
    now = 0.0
    for i, force in enumerate(push):
        now = z[i] = decay * now + (1 - decay) * force
    z = (z - z.min()) / (z.max() - z.min()) * 1.6 - 0.4  # mV, as the paper scales it
    return _signal(z[::finer], rate, ("ECG",), "mV")


def _intervals(n: int, rate: float, mean: float, seed: int) -> _Array:
    """The length of a beat at each sample, seconds: two rhythms, of blood pressure (0.1 Hz) and of
    breath (0.25 Hz), with powers 1 : 2 and random phases; the paper's equation 3."""
    f = np.fft.rfftfreq(n, 1 / rate)
    power = sum(
        share * np.exp(-((f - centre) ** 2) / (2 * 0.01**2))
        for share, centre in ((1 / 3, 0.1), (2 / 3, 0.25))
    )
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, f.size)
    swing = np.fft.irfft(np.sqrt(power) * np.exp(1j * phase), n)
    return np.asarray(mean * (1 + 0.04 * swing / (swing.std() + 1e-12)))


def electroencephalogram(seconds: float = 20.0, rate: float = 128.0, *, seed: int = 2) -> Signal:
    """Two leads, µV: alpha waves of 10 Hz that come and go, over a ground whose power falls as 1/f.

    The leads share the alpha, a quarter of a wave apart, and two thirds of the ground.
    """
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    t = np.arange(n) / rate
    starts = np.cumsum(rng.uniform(1.4, 2.6, int(seconds) + 1)) - 1.0
    envelope = sum(np.exp(-((t - s) ** 2) / (2 * 0.35**2)) for s in starts)
    drift = np.cumsum(rng.normal(0, 0.25, n)) / np.sqrt(rate)
    shared = _pink(n, rate, rng)
    leads = []
    for lag in (0.0, np.pi / 2):
        alpha = envelope * np.sin(2 * np.pi * 10 * t + drift - lag)
        leads.append(30 * alpha + 10 * (0.8 * shared + 0.6 * _pink(n, rate, rng)))
    return _signal(np.stack(leads), rate, ("O1", "O2"), "µV")


def _pink(n: int, rate: float, rng: np.random.Generator) -> _Array:
    """Noise of power 1/f above 0.5 Hz, of unit deviation."""
    f = np.fft.rfftfreq(n, 1 / rate)
    spectrum = np.fft.rfft(rng.normal(size=n)) / np.sqrt(np.maximum(f, 0.5))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, n)
    return np.asarray(noise / noise.std())


def quakes(seconds: float = 120.0, rate: float = 50.0, *, seed: int = 3) -> Signal:
    """A seismometer's vertical motion, µm/s: a swarm of small quakes over the sea's hum.

    Each quake is a quick P and, 1.5 to 3 s later, a slower and larger S; both are noise under an
    envelope that rises and dies away, t · exp(−t / τ). The hum swells every five seconds.
    """
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    t = np.arange(n) / rate
    motion = 0.25 * np.sin(2 * np.pi * 0.2 * t + np.cumsum(rng.normal(0, 0.05, n)) / rate)
    motion += 0.06 * rng.normal(size=n)
    when = 3.0
    while when < seconds:
        size, lag = rng.uniform(0.7, 1.6), rng.uniform(1.5, 3.0)
        motion += size * _arrival(t - when, 7.0, 0.5, rng)
        motion += 2.5 * size * _arrival(t - when - lag, 3.0, 1.2, rng)
        when += rng.uniform(8.0, 14.0)
    return _signal(motion, rate, ("Z",), "µm/s")


def _arrival(t: _Array, frequency: float, tau: float, rng: np.random.Generator) -> _Array:
    """A wave of about `frequency` Hz that comes at t = 0 and dies away within some τ."""
    since = np.maximum(t, 0) / tau
    phase = 2 * np.pi * frequency * t + np.cumsum(rng.normal(0, 0.25, t.size))
    return np.asarray(since * np.exp(1 - since) * np.sin(phase))


def _signal(values: _Array, rate: float, names: tuple[str, ...], unit: str) -> Signal:
    rows = np.atleast_2d(values).astype(np.float32)
    return Signal(np.ascontiguousarray(rows), rate, names, (unit,) * len(names))


STARTERS = (
    Starter("heartbeat", "Heartbeat (an ECG)", electrocardiogram),
    Starter("alpha", "Alpha waves (an EEG of two leads)", electroencephalogram),
    Starter("quakes", "A swarm of small quakes", quakes),
)
