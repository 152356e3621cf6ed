"""`spectrogrand prepare mumu CSV JSON OUT`: a genre's covers and a generated twin of each, split for the surprise model."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import media, registry
from ..config import compose
from ..errors import CandidateError, ConfigError, MediaError
from ..files import parse_json
from ..image.inks import linear_to_oklab
from ..progress import bar
from ..runs.candidates import attempt
from ..store import file_digest
from ..types import GENRES, CoverBrief, Image
from .downloads import Downloader

SIDE = 256
QUALITY = 90
"""JPEG quality of both halves: written alike, so that no coding tells them apart."""
SHARES = (256 / 506, 78 / 506)
"""Train and val as published (256 / 78 / 172), the rest is test."""
PROMPT = "{colour} colored album cover for the album {topic}"
OPTIONS = {"genre": "Dance & Electronic", "match": "only", "limit": "", "per_second": "1", "seed": "0"}
MATCHES = ("only", "among")
"""An album of just this genre, as published; or one that has it among others."""
USAGE = (
    "spectrogrand prepare mumu MuMu_dataset_multi-label.csv amazon_metadata_MuMu.json OUT [genre='Dance & Electronic'] "
    "[match=only|among] [limit=N] [per_second=1] [seed=0] [cover=sdxl] [cover.steps=50 ...] [weights=FOLDER]"
)


@dataclass(frozen=True)
class Album:
    """One album: MuMu's identifier, its title ("" where none is known) and its cover's address."""

    name: str
    title: str
    address: str


def main(words: list[str]) -> int:
    """`prepare mumu CSV JSON OUT [setting=value ...]`; run it again after a kill and it goes on.

    OUT/train|val|test/human/ID.jpg are the covers, ai/ID.jpg their twins, OUT/covers.csv says what each was made from.
    Covers belong to their owners: keep them to yourself.
    """
    if {"-h", "--help"} & set(words):
        sys.stdout.write(USAGE + "\n")
        return 0
    paths = [w for w in words if "=" not in w]
    options = OPTIONS | dict(w.split("=", 1) for w in words if w.partition("=")[0] in OPTIONS)
    settings = [w for w in words if "=" in w and w.partition("=")[0] not in OPTIONS]
    if len(paths) != 3:
        raise ConfigError(f"say which lists become which folder: {USAGE}")
    chosen = next((w.partition("=")[2] for w in settings if w.startswith("cover=")), "sdxl")
    config = dict(compose([f"cover={chosen}", *(w for w in settings if not w.startswith("cover="))])["cover"])
    if "prompt" in config and not any(w.startswith("cover.prompt=") for w in settings):
        config["prompt"] = PROMPT
    try:
        limit, rate, seed = int(options["limit"] or 0), float(options["per_second"]), int(options["seed"])
    except ValueError as error:
        raise ConfigError(f"limit and seed are whole numbers, per_second is a number: {error}") from error
    table, metadata = (Path(p).expanduser() for p in paths[:2])
    albums = select(table, metadata, options["genre"], options["match"])
    out = Path(paths[2]).expanduser()
    made, failed = prepare(albums[:limit] if limit else albums, out, Downloader(out / ".downloads", rate), config, seed)
    sys.stdout.write(f"{out}: {made:,} covers and their twins; {len(failed):,} left out\n")
    for line in failed[:5]:
        sys.stdout.write(f"  {line}\n")
    return 0


def select(table: Path, metadata: Path, genre: str, match: str = "only") -> list[Album]:
    """MuMu's albums of a genre, sorted by identifier, each once.

    Args:
        match: "only": albums of which this is the one genre, as the published script asks; "among": also those of several.

    The table has a track per line with `amazon_id` and `genres` (separated by commas); the metadata is a JSON list (or lines) of
    objects with `amazon_id`, `imUrl` and mostly `title`.

    Raises:
        ConfigError: a file that is missing or of another layout, or no album of that genre; the genres there are named.
    """
    if match not in MATCHES:
        raise ConfigError(f"match is only or among, got {match!r}")
    wanted: set[str] = set()
    seen: dict[str, int] = {}
    for row in _rows(table):
        genres = [g.strip() for g in row["genres"].split(",")]
        for each in genres:
            seen[each] = seen.get(each, 0) + 1
        if genres == [genre] or (match == "among" and genre in genres):
            wanted.add(row["amazon_id"])
    if not wanted:
        often = ", ".join(sorted(seen, key=lambda g: (-seen[g], g))[:12])
        hint = "; match=among takes albums that have it among others" if match == "only" and genre in seen else ""
        raise ConfigError(f"{table} has no album of the genre {genre!r}; its genres are {often}, ...{hint}")
    albums: dict[str, Album] = {}
    for entry in _objects(metadata):
        name, address = str(entry.get("amazon_id", "")), entry.get("imUrl")
        if name in wanted and isinstance(address, str) and name.isalnum():  # a name becomes a file's name
            title = " ".join(html.unescape(str(entry.get("title") or "")).split())
            albums.setdefault(name, Album(name, title, address))
    if not albums:
        raise ConfigError(f"{metadata} has no cover (amazon_id, imUrl) of the {len(wanted):,} albums of {genre!r}")
    return [albums[k] for k in sorted(albums)]


def _rows(table: Path) -> Iterator[Mapping[str, str]]:
    try:
        with open(table, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            lacking = {"amazon_id", "genres"} - set(reader.fieldnames or ())
            if lacking:
                raise ConfigError(f"{table} has no column {min(lacking)!r}: give MuMu_dataset_multi-label.csv")
            for row in reader:
                if row["amazon_id"] and row["genres"]:
                    yield row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{table} cannot be read ({error}): give MuMu's table of albums") from error


def _objects(metadata: Path) -> Iterator[Mapping[str, Any]]:
    try:
        text = metadata.read_text("utf-8")
        lines = text.lstrip()[:1] != "["
        entries = [parse_json(line) for line in text.splitlines() if line.strip()] if lines else parse_json(text)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{metadata} cannot be read ({error}): give amazon_metadata_MuMu.json") from error
    for entry in entries:
        if isinstance(entry, Mapping):
            yield entry


def prepare(
    albums: Sequence[Album], out: Path, downloader: Downloader, cover: Mapping[str, Any], seed: int = 0
) -> tuple[int, list[str]]:
    """Download, draw the twins, write both halves; returns how many pairs there are and why others are left out."""
    generator = registry.build("generators", cover)
    failed: list[str] = []
    known: dict[str, str] = {}
    rows: list[tuple[str, ...]] = []
    waiting: list[tuple[Album, str, CoverBrief, Path]] = []

    def draw() -> None:
        seeds = [_number(seed, album.name) for album, *_ in waiting]
        made = attempt(generator, [brief for *_, brief, _ in waiting], seeds)
        for (album, split, _, path), twin in zip(waiting, made, strict=True):
            if isinstance(twin, CandidateError):  # a black picture: half a pair teaches nothing
                failed.append(f"{album.name} has no twin: {twin}")
                (out / split / "human" / f"{album.name}.jpg").unlink(missing_ok=True)
                rows[:] = [row for row in rows if row[0] != album.name]
            else:
                write_jpeg(path, twin)
        waiting.clear()

    with bar("covers") as tick:
        for k, album in enumerate(albums):
            tick(k, len(albums))
            try:
                kept, picture = downloader.picture(album.address)
            except MediaError as error:
                failed.append(str(error))
                continue
            same = known.setdefault(file_digest(kept), album.name)
            if same != album.name:  # one picture must not be in two splits
                failed.append(f"{album.name} has the same cover as {same}")
                continue
            small = picture.resized(SIDE, SIDE)
            colour, split = colour_name(small), split_of(album.name, seed)
            human, twin = (out / split / half / f"{album.name}.jpg" for half in ("human", "ai"))
            brief = CoverBrief(album.title or "dance music", GENRES[_number(seed, album.name) % 4], colour, "blends")
            if not human.is_file():
                write_jpeg(human, small)
            if not twin.is_file():
                waiting.append((album, split, brief, twin))
            rows.append((album.name, split, colour, album.title, album.address))
            if len(waiting) >= max(1, generator.batch_size):
                draw()
        if waiting:
            draw()
    generator.close()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("amazon_id", "split", "dominant_colour_name", "album_name", "address"))
    writer.writerows(rows)
    out.mkdir(parents=True, exist_ok=True)
    with media.replacing(out / "covers.csv") as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")
    return len(rows), failed


def split_of(name: str, seed: int = 0) -> str:
    """The split of an album: a function of its name alone, in the published shares, so that a longer list moves none.

    >>> [split_of(n) for n in ("B000001", "B000008")] == [split_of(n) for n in ("B000001", "B000008")]
    True
    """
    place = _number(seed, f"split/{name}") / 2**31
    return "train" if place < SHARES[0] else "val" if place < sum(SHARES) else "test"


def _number(seed: int, text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{text}".encode()).digest()[:4]) >> 1


def colour_name(image: Image) -> str:
    """The name of a picture's dominant colour: most frequent of eight by median cut, nearest of the xkcd survey's in OKLab.

    The published set asks a web service for a name; the survey's 949 are what `procedural_cover` and people understand.

    >>> colour_name(Image(np.full((8, 8, 3), (0, 0, 130), np.uint8)))
    'deep blue'
    """
    from matplotlib.colors import XKCD_COLORS
    from PIL import Image as Pillow

    few: Any = Pillow.fromarray(image.pixels).quantize(8, Pillow.Quantize.MEDIANCUT)
    counts = few.getcolors() or [(1, 0)]
    entry = max(counts, key=lambda c: (c[0], -int(c[1])))[1]
    colour = np.array(few.getpalette()[3 * entry : 3 * entry + 3]) / 255
    names = [n.removeprefix("xkcd:") for n in XKCD_COLORS]
    known = np.array([[int(v[i : i + 2], 16) for i in (1, 3, 5)] for v in XKCD_COLORS.values()]) / 255
    linear = lambda x: np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)  # noqa: E731
    distance = ((linear_to_oklab(linear(known)) - linear_to_oklab(linear(colour))) ** 2).sum(axis=-1)
    return names[int(distance.argmin())]


def write_jpeg(path: Path, image: Image) -> None:
    """A 256-pixel JPEG."""
    from PIL import Image as Pillow

    path.parent.mkdir(parents=True, exist_ok=True)
    with media.replacing(path) as temporary, open(temporary, "wb") as file:
        Pillow.fromarray(image.resized(SIDE, SIDE).pixels).save(file, "JPEG", quality=QUALITY)
