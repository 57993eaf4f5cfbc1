"""What a mining found: the pictures that excite a unit, where in them, and a wall of them.

mining.json            {"network", "version", "corpus"}, from the start
sources/KEY.jpg        a picture as the network saw it, if it is among any unit's nine
sources.json           {KEY: {"title", "width", "height"}}
layers/LAYER.json      for each unit up to nine [activation, KEY, row, column], strongest first
sheets/LAYER-N.jpg     SHEET_UNITS units' sprites, SHEET_COLUMNS in a row
filters/UNIT.png       of the first layer, its weights as a picture
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from PIL import Image

from styletransfer.core.visualise.findings import Hit
from styletransfer.folders import JobFolder
from webapp.uploads import to_jpeg

SIGN = "mining.json"
SHEET_COLUMNS = 8
SHEET_UNITS = SHEET_COLUMNS**2
PATCH_SIDE = 48  # pixels of one patch on a sheet
GAP = 2  # pixels between two


@dataclass(frozen=True)
class Source:
    """A picture that is kept: what it is called, and its size as the network saw it."""

    title: str
    width: int
    height: int


class MiningFolder(JobFolder):
    """The files of one mining."""

    root = "minings"
    sign = SIGN

    def begin(self, facts: Mapping[str, str]) -> None:
        self.write(SIGN, json.dumps(dict(facts)).encode())

    def write_source(self, key: str, picture: Image.Image) -> None:
        self.write(f"sources/{key}.jpg", to_jpeg(picture, quality=90))

    def keep_sources(self, kept: Mapping[str, Source]) -> None:
        """Write down what the kept pictures are, and delete all others."""
        entries = {key: asdict(source) for key, source in kept.items()}
        self.write("sources.json", json.dumps(entries).encode())
        for name in self.names("sources"):
            if name.removesuffix(".jpg") not in kept:
                self.remove(f"sources/{name}")

    def sources(self) -> dict[str, Source]:
        """Raises FileNotFoundError, where nothing was found yet."""
        entries = json.loads(self.read("sources.json"))
        return {key: Source(**source) for key, source in entries.items()}

    def source_picture(self, key: str) -> Image.Image:
        """Raises FileNotFoundError."""
        with self.open(f"sources/{key}.jpg") as file:
            picture = Image.open(file)
            picture.load()
        return picture

    def write_layer(self, layer: str, units: Iterable[Sequence[Hit]]) -> None:
        found = [
            [[float(f"{hit.activation:.5g}"), hit.key, hit.row, hit.column] for hit in hits]
            for hits in units
        ]
        self.write(f"layers/{layer}.json", json.dumps(found, separators=(",", ":")).encode())

    def layer(self, layer: str) -> list[list[Hit]]:
        """For each unit its hits, strongest first. Raises FileNotFoundError."""
        found = json.loads(self.read(f"layers/{layer}.json"))
        return [[Hit(*hit) for hit in hits] for hits in found]

    def write_sheet(self, layer: str, number: int, sprites: Sequence[Image.Image]) -> None:
        """The sprites of units `number * SHEET_UNITS` …; all of one size."""
        width, height = sprites[0].size
        rows = -(-len(sprites) // SHEET_COLUMNS)
        sheet = Image.new("RGB", (SHEET_COLUMNS * width, rows * height))
        for index, sprite in enumerate(sprites):
            row, column = divmod(index, SHEET_COLUMNS)
            sheet.paste(sprite, (column * width, row * height))
        self.write(f"sheets/{layer}-{number}.jpg", to_jpeg(sheet, quality=84))
