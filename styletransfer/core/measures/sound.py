"""Statistics of a sound that no cost asks for: brightness, rhythm, onsets. Numpy alone."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from styletransfer.core.media import spectrogram
from styletransfer.core.media.types import Floats, Sound

_WINDOW, _HOP = 1024, 256
_BANDS = 24
_COMPRESSION = 0.3
"""Amplitude to loudness, roughly: McDermott and Simoncelli, "Sound Texture Perception via
Statistics of the Auditory Periphery" (2011), section "Auditory model"."""
_OCTAVES = (0.5, 1, 2, 4, 8, 16, 32)
"""Edges of the modulation bands, in Hz."""
_FLOOR_DB = -60.0


def spectral_centroid(sound: Sound) -> tuple[float, float]:
    """Where the spectrum's weight lies: mean and standard deviation over time, in Hz.

    The centroid of a frame is Σ f · |X(f)| / Σ |X(f)|; frames count by their Σ |X(f)|.
    Source: Peeters et al., "The Timbre Toolbox" (2011), section II.
    """
    magnitude = _magnitudes(sound)
    frequencies = np.linspace(0, sound.rate / 2, len(magnitude))[:, None]
    loudness = magnitude.sum(0) + 1e-12
    centroid = (frequencies * magnitude).sum(0) / loudness
    mean = np.average(centroid, weights=loudness)
    spread = np.sqrt(np.average((centroid - mean) ** 2, weights=loudness))
    return float(mean), float(spread)


def modulation_spectrum(sound: Sound) -> npt.NDArray[np.float64]:
    """(24, 6): how strongly each mel band's loudness goes up and down at 0.5 … 32 Hz, by octaves.

    The root of each octave's power in the band's compressed envelope, over the root mean square
    of all envelopes, so that the sound's level does not count. After McDermott and Simoncelli
    (2011), "modulation power".
    """
    envelopes = levels(sound)
    frames = envelopes.shape[1]
    swings = envelopes - envelopes.mean(1, keepdims=True)
    spectra = np.fft.rfft(swings * np.hanning(frames), axis=1)
    power = 2 * np.abs(spectra) ** 2 / (frames * np.square(np.hanning(frames)).sum())
    frequencies = np.fft.rfftfreq(frames, _HOP / sound.rate)
    edges = itertools.pairwise(_OCTAVES)
    octaves = [power[:, (frequencies >= a) & (frequencies < b)].sum(1) for a, b in edges]
    return np.asarray(np.sqrt(np.stack(octaves, 1)) / (np.sqrt(np.mean(envelopes**2)) + 1e-12))


def modulation_distance(sound: Sound, example: Sound) -> float:
    """‖M(sound) − M(example)‖ / ‖M(example)‖ of the modulation spectra: 0 is the same rhythm and
    grain."""
    wanted = modulation_spectrum(example)
    return float(np.linalg.norm(modulation_spectrum(sound) - wanted) / np.linalg.norm(wanted))


def spectrum_distance(sound: Sound, example: Sound) -> float:
    """How far the mean spectra lie apart, mel band by mel band, in dB (root mean square).

    The levels of both are brought to one mean; what lies 60 dB under the loudest band counts as
    silent.
    """
    level, wanted = (_mean_level(s) for s in (sound, example))
    return float(np.sqrt(np.mean((level - wanted - (level - wanted).mean()) ** 2)))


def onset_envelope(sound: Sound) -> npt.NDArray[np.float64]:
    """(T,), one a hop of 256 samples: by how many dB all mel bands together rise from frame to
    frame (spectral flux; Dixon, "Onset Detection Revisited", 2006, on a log scale)."""
    power = _bands(sound)
    level = 10 * np.log10(np.maximum(power, power.max() * 10 ** (_FLOOR_DB / 10)) + 1e-20)
    return np.asarray(np.maximum(np.diff(level, axis=1), 0).sum(0))


def onsets_kept(sound: Sound, content: Sound) -> float:
    """Correlation of the two onset envelopes over their common time: 1 is every onset in place,
    0 none but by chance."""
    ours, theirs = onset_envelope(sound), onset_envelope(content)
    common = min(len(ours), len(theirs))
    ours, theirs = (x[:common] - x[:common].mean() for x in (ours, theirs))
    return float(ours @ theirs / (np.linalg.norm(ours) * np.linalg.norm(theirs) + 1e-12))


def levels(sound: Sound) -> Floats:
    """(24, T): compressed amplitude in mel bands, one a hop of 256 samples."""
    return np.asarray(_bands(sound) ** (_COMPRESSION / 2))


def white_noise(like: Sound, seed: int = 0) -> Sound:
    """Noise of the same length and level: the scale that a distance is read on."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(like.samples.shape) * like.samples.std()
    return Sound(noise.astype(np.float32), like.rate)


def mean_power(sound: Sound) -> Floats:
    """(513,): the mean power spectrum, from 0 Hz to half the rate."""
    return np.asarray((_magnitudes(sound) ** 2).mean(1))


def _magnitudes(sound: Sound) -> Floats:
    return spectrogram.magnitudes(sound.samples[0], _WINDOW, _HOP)


def _bands(sound: Sound) -> Floats:
    """(24, T) power in mel bands."""
    power = _magnitudes(sound) ** 2
    return np.asarray(spectrogram.mel_bands(_BANDS, len(power), sound.rate) @ power)


def _mean_level(sound: Sound) -> npt.NDArray[np.float64]:
    power = _bands(sound).mean(1)
    return np.asarray(10 * np.log10(np.maximum(power, power.max() * 10 ** (_FLOOR_DB / 10))))
