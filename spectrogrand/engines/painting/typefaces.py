"""Faces: which free font sets which letters, and lines of mixed scripts set in several; what no face has is told, never a box."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "data" / "things"
INSTALL = "pip install 'spectrogrand[faces]'"
"""What brings the scripts that are not shipped."""
CJK = (0, 1, 2)
"""Faces of Noto Sans CJK's collection: Japanese, Korean, simplified Chinese."""


@dataclass(frozen=True)
class Face:
    """A font's file, its number in a collection, whether its weight is to be set, and the characters that it has."""

    file: Path
    number: int
    variable: bool
    known: frozenset[int]

    def font(self, pixels: int) -> Any:
        """The font at a height in pixels; letters join and run as their script does where the machine can shape them."""
        return _font(self.file, self.number, self.variable, max(4, pixels))


@lru_cache(maxsize=24)
def _font(file: Path, number: int, variable: bool, pixels: int) -> Any:
    from PIL import ImageFont, features

    engine = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    font = ImageFont.truetype(str(file), pixels, index=number, layout_engine=engine)
    if variable:
        font.set_variation_by_axes([700])
    return font


@lru_cache(maxsize=1)
def faces() -> tuple[Face, ...]:
    """The faces that are here, the first choice first: matplotlib's DejaVu Sans, the subsets of Noto Sans in `data/things`, then
    those of the packages manimgx-fonts and manimgx-fonts-cjk where they are installed."""
    from matplotlib import get_data_path

    files = [Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf", *sorted(DATA.glob("noto_sans_*.ttf"))]
    found = [Face(f, 0, False, _characters(f, 0)) for f in files if f.is_file()]
    for package in ("manimgx_fonts", "manimgx_fonts_cjk"):
        spec = find_spec(package)
        for folder in map(Path, spec.submodule_search_locations or ()) if spec else ():
            for f in sorted(folder.glob("NotoSans*")):
                if "Italic" in f.name or "Symbols" in f.name:
                    continue
                for number in CJK if f.suffix == ".ttc" else (0,):
                    found.append(Face(f, number, True, _characters(f, number)))
    return tuple(found)


@lru_cache(maxsize=64)
def _characters(file: Path, number: int) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(str(file), fontNumber=number, lazy=True) as font:
        return frozenset(font.getBestCmap())


def names() -> tuple[str, ...]:
    """The faces that are here by their files' names: what a cover set as type depends on."""
    return tuple(dict.fromkeys(face.file.name for face in faces()))


def face_for(text: str) -> Face:
    """The face that has most of the text's characters, the earlier one where two have as many; kana asks for the Japanese face,
    Hangul for the Korean one, Han alone for the Chinese one."""
    kana, hangul = any("\u3040" <= ch <= "\u30ff" for ch in text), any("\uac00" <= ch <= "\ud7af" for ch in text)
    wanted = 0 if kana else 1 if hangul else 2
    codes = [ord(ch) for ch in text]
    best = max(faces(), key=lambda face: sum(code in face.known for code in codes))
    alike = [face for face in faces() if face.file == best.file and face.number == wanted]
    return alike[0] if alike else best


def settable(text: str) -> str:
    """The text in one line, without the characters that no face has.

    >>> settable("  déjà\\n vu "), settable("a \U0001f680")
    ('déjà vu', 'a')
    """
    plain = unicodedata.normalize("NFC", text)
    known = [face.known for face in faces()]
    return " ".join("".join(ch if any(ord(ch) in k for k in known) else " " for ch in plain).split())


def unset(text: str) -> str:
    """The letters of a text that no face has, each once.

    >>> unset("déjà vu \U0001f680")
    ''
    """
    known = [face.known for face in faces()]
    lost = [ch for ch in unicodedata.normalize("NFC", text) if ch.isalpha() and not any(ord(ch) in k for k in known)]
    return "".join(dict.fromkeys(lost))


def right_to_left(text: str) -> bool:
    """Whether a line runs from right to left: its first letter says so."""
    first = next((unicodedata.bidirectional(ch) for ch in text if ch.isalpha()), "L")
    return first in ("R", "AL")


def spans(line: str) -> list[tuple[Face, str]]:
    """A line in parts of one face each, in the order of reading; a word is never divided."""
    found: list[tuple[Face, str]] = []
    for word in line.split(" "):
        face = face_for(word) if word else (found[-1][0] if found else faces()[0])
        if found and found[-1][0] == face:
            found[-1] = (face, found[-1][1] + " " + word)
        else:
            found.append((face, word))
    return found


def length(line: str, pixels: int) -> float:
    """How long a line is at a height, in pixels."""
    parts = spans(line)
    gap = parts[0][0].font(pixels).getlength(" ")
    return float(sum(face.font(pixels).getlength(text) for face, text in parts) + gap * (len(parts) - 1))


def write(draw: Any, x: float, y: float, line: str, pixels: int) -> None:
    """Write a line from x on, its middle at y, with the Pillow drawing `draw`."""
    parts = spans(line)
    gap = parts[0][0].font(pixels).getlength(" ")
    for face, text in parts[::-1] if right_to_left(line) else parts:
        font = face.font(pixels)
        draw.text((x, y), text, fill=255, font=font, anchor="lm")
        x += font.getlength(text) + gap
