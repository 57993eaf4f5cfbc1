"""Signals in files: what is read, what is refused with which sentence, what comes back."""

from __future__ import annotations

from contextlib import suppress

import edfio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from styletransfer.core.media import registry
from styletransfer.core.media.signal import csv_file
from styletransfer.core.media.signal.files import deliver, read
from styletransfer.core.media.types import MediumError, Signal

WAVE = np.sin(np.arange(100) / 5)


def rows(*columns: object, separator: str = ",", head: str = "") -> bytes:
    cells = zip(*columns, strict=True)  # type: ignore[call-overload]
    return (head + "\n".join(separator.join(map(str, row)) for row in cells)).encode()


def refused(data: bytes, name: str = "a.csv") -> MediumError:
    with pytest.raises(MediumError) as caught:
        read(data, name)
    assert caught.value.hint
    return caught.value


def test_a_column_of_time_tells_the_rate_and_the_header_names_and_units() -> None:
    times = np.arange(100) / 250
    signal = read(rows(times, WAVE, -WAVE, head="Time (s),ECG (mV),Resp [l]\n"), "a.csv")
    assert signal.rate == 250
    assert (signal.names, signal.units) == (("ECG", "Resp"), ("mV", "l"))
    assert np.allclose(signal.values, np.stack([WAVE, -WAVE]))


@pytest.mark.parametrize(
    ("head", "scale"),
    [("time (ms),x\n", 1e3), ("ms,x\n", 1e3), ("t,x\n", 1), ("", 1), ("Zeit_ms,x\n", 1e3)],
)
def test_time_has_many_names(head: str, scale: float) -> None:
    signal = read(rows(scale * np.arange(100) / 125, WAVE, head=head), "a.csv")
    assert signal.rate == pytest.approx(125)
    assert signal.values.shape == (1, 100)


def test_times_that_were_rounded_to_milliseconds_give_the_true_rate() -> None:
    times = [f"{k / 360:.3f}" for k in range(2000)]
    assert read(rows(times, np.resize(WAVE, 2000)), "a.csv").rate == 360


def test_decimal_commas_semicolons_and_tabs() -> None:
    for separator in (";", "\t"):
        data = rows(np.arange(100) / 100, WAVE, separator=separator).replace(b".", b",")
        signal = read(data, "a.csv")
        assert signal.rate == pytest.approx(100)
        assert np.allclose(signal.values[0], WAVE)


def test_a_comment_tells_the_rate_of_columns_without_time() -> None:
    signal = read(rows(WAVE, WAVE**2, head="# rate: 360\n"), "a.csv")
    assert signal.rate == 360
    assert signal.values.shape == (2, 100)
    assert signal.names == ("channel 1", "channel 2")
    assert read(rows(WAVE, head="# sampling rate = 99.5 Hz\n"), "a.txt").rate == 99.5


def test_times_of_day_and_a_row_of_units_as_physionet_writes_them() -> None:
    clock = [f"'{k // 60}:{k % 60:02d}.{ms:03d}'" for k in range(50) for ms in (0, 500)]
    head = "'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'\n"
    signal = read(rows(clock, WAVE, head=head), "samples.csv")
    assert (signal.rate, signal.names, signal.units) == (2, ("MLII",), ("mV",))
    dated = [f"2026-01-31T23:59:{k // 2:02d}.{k % 2 * 500:03d}" for k in range(100)]
    assert read(rows(dated[:64], WAVE[:64], head="time,x\n"), "a.csv").rate == 2


def test_a_counter_is_no_channel_and_no_time() -> None:
    data = rows(range(100), WAVE, head="# rate: 50\n")
    assert read(data, "a.csv").values.shape == (1, 100)
    assert refused(rows(range(100), WAVE)).code == "no_rate"
    assert refused(rows(range(100), WAVE, head="index,x\n")).code == "no_rate"


TIMES = np.arange(100) / 100
BAD = {
    "empty": (b"", "a.csv", "The file is empty."),
    "blank": (b"\n\n \n", "a.csv", "The file is empty."),
    "binary": (b"PK\x03\x04\0\0", "a.csv", "This is not a text file."),
    "no rate": (rows(WAVE), "a.csv", "does not say how many samples"),
    "text": (
        rows(TIMES, [*WAVE[:41], "oops", *WAVE[42:]], head="t,x\n"),
        "a.csv",
        "Line 43, column 2 holds “oops”",
    ),
    "hole": (rows(TIMES, [*WAVE[:9], "", *WAVE[10:]]), "a.csv", "Line 10, column 2 holds nothing"),
    "ragged": (rows(TIMES, WAVE) + b"\n1.0", "a.csv", "Line 101 has 1 columns"),
    "nan": (rows(TIMES, [*WAVE[:5], "nan", *WAVE[6:]]), "a.csv", "Line 6 has a value"),
    "infinite": (rows(TIMES, [*WAVE[:5], "1e999", *WAVE[6:]]), "a.csv", "Line 6 has a value"),
    "constant": (rows(TIMES, WAVE, [3] * 100, head="t,x,flat\n"), "a.csv", "channel flat never"),
    "short": (rows(TIMES[:20], WAVE[:20]), "a.csv", "64 samples or more; this one has 20"),
    "gap": (
        rows([*TIMES[:50], *(TIMES[50:] + 1)], WAVE, head="time,x\n"),
        "a.csv",
        "line 52 comes 1.01 s after",
    ),
    "wide": (rows(TIMES, *[WAVE] * 17, head=""), "a.csv", "17 channels; 16 are the most"),
    "rate": (rows(WAVE, head="# rate: 9e9\n"), "a.csv", "cannot be used"),
    "huge values": (rows(TIMES, WAVE * 1e200), "a.csv", "is not a finite number"),
    "long line": (b"1," * 30_000, "a.csv", "Line 1 is too long"),
    "many lines": (b"1\n" * 2_100_000, "a.csv", "too long"),
    "no EDF": (b"hello", "a.edf", "This is not an EDF file."),
    "BDF": (b"\xffBIOSEMI" + bytes(300), "a.bdf", "This is a BDF file."),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_gets_its_sentence(name: str) -> None:
    data, file, sentence = BAD[name]
    assert sentence in refused(data, file).message


def edf(*channels: tuple[float, int], **more: object) -> bytes:
    """An EDF file of 10 seconds with channels of (rate, seed)."""
    signals = [
        edfio.EdfSignal(
            np.random.default_rng(seed).normal(size=int(10 * rate)),
            rate,
            label=f"lead {seed}",
            physical_dimension="uV",
        )
        for rate, seed in channels
    ]
    return edfio.Edf(signals, **more).to_bytes()  # type: ignore[arg-type]


def test_edf_is_read_with_its_names_units_and_rate() -> None:
    note = edfio.EdfAnnotation(1.0, None, "a beat")
    signal = read(edf((128, 1), (128, 2), annotations=[note]), "night.edf")
    assert signal.rate == 128
    assert (signal.names, signal.units) == (("lead 1", "lead 2"), ("µV", "µV"))
    wanted = np.random.default_rng(2).normal(size=1280)
    assert np.abs(signal.values[1] - wanted).max() < 1e-3
    assert read(edf((128, 1)), "renamed.csv").rate == 128  # the content decides


def test_damaged_edf_gets_its_sentence() -> None:
    whole = edf((128, 1), (128, 2))
    assert refused(edf((128, 1), (1, 2)), "a.edf").code == "mixed_rates"
    assert "lead 2 1 Hz and lead 1 128 Hz" in refused(edf((128, 1), (1, 2)), "a.edf").message
    assert "promises" in refused(whole[:-500], "a.edf").message
    assert refused(whole[:300], "a.edf").code == "damaged"
    assert refused(whole[:192] + b"EDF+D".ljust(44) + whole[236:], "a.edf").code == "interrupted"
    for at, text in ((236, b"9999999 "), (252, b"9999"), (252, b"none"), (244, b"0       ")):
        assert refused(whole[:at] + text + whole[at + len(text) :], "a.edf").code == "damaged"
    flat = edfio.Edf([edfio.EdfSignal(np.ones(1280), 128, label="off")]).to_bytes()
    assert "off never changes" in refused(flat, "a.edf").message


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.edf"]), st.booleans())
def test_any_bytes_are_read_or_refused(data: bytes, name: str, as_edf: bool) -> None:
    with suppress(MediumError):
        read((b"0       " if as_edf else b"") + data, name)


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 767), byte=st.integers(32, 126))
def test_a_header_with_a_wrong_character_is_read_or_refused(at: int, byte: int) -> None:
    whole = edf((64, 1), (64, 2))
    with suppress(MediumError):
        read(whole[:at] + bytes([byte]) + whole[at + 1 :], "a.edf")


@pytest.mark.parametrize("rate", [250.0, 0.5, 128.5])
def test_what_is_delivered_can_be_read_again(rate: float) -> None:
    values = np.random.default_rng(0).normal(size=(2, 1285)).astype(np.float32)
    signal = Signal(values, rate, ("one, two", "µ"), ("µV", ""))
    files = deliver(signal)
    assert list(files) == ["signal.csv", "signal.edf"]
    for name, data in files.items():
        back = read(data, name)
        assert back.rate == pytest.approx(rate)
        assert np.abs(back.values[:, :1285] - values).max() < 2e-4
        held = back.values[:, 1285:] - values[:, -1:]
        assert np.abs(held).max(initial=0) < 2e-4  # EDF has whole records
    assert read(files["signal.csv"], "a.csv").names == ("one, two", "µ")


def test_more_than_a_million_samples_are_refused_before_they_are_read() -> None:
    assert refused(b"# rate: 1000\n" + b"0.5\nx\n" * 500_001).code == "too_long"


def test_starters_can_be_read_shown_and_given_away() -> None:
    for starter in registry.starters("signal"):
        signal = starter.make()
        assert isinstance(signal, Signal)
        assert np.isfinite(signal.values).all()
        assert np.array_equal(starter.make().values, signal.values)  # type: ignore[union-attr]
        assert registry.picture(signal).shape == (400, 640, 3)
        assert set(registry.exhibit(signal)) == {"waveform.json", "spectrogram.jpg"}
    assert csv_file.write_csv(signal).startswith(b"# rate: 50\ntime (s),Z (")
