"""`spectrogrand prepare catalogue IN.csv OUT.csv provider=NAME`: genres and popularity from a catalogue, by one's own key."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ..albums.genres import singular
from ..albums.table import AlbumRow, AlbumTable, write
from ..errors import ConfigError, MediaError, UnknownName, nearest
from ..files import parse_json
from ..progress import bar
from .polite import Gone, Polite, Queue

USAGE = "spectrogrand prepare catalogue IN.csv OUT.csv provider=lastfm|discogs [per_second=1] [base=URL]"


@dataclass(frozen=True)
class Provider:
    """A catalogue: its API, the environment variable that holds the user's key, its pace, and how to ask and read it."""

    base: str
    variable: str
    where: str
    per_second: float
    ask: Callable[[AlbumRow, str], tuple[str, dict[str, str], dict[str, str]]]
    read: Callable[[Any], dict[str, Any]]


def _ask_lastfm(row: AlbumRow, key: str) -> tuple[str, dict[str, str], dict[str, str]]:
    query = {"method": "album.getinfo", "artist": row.artist, "album": row.album, "autocorrect": "1", "format": "json"}
    return "/2.0/", query | {"api_key": key}, {}


def _read_lastfm(answer: Any) -> dict[str, Any]:
    album = _map(_map(answer).get("album"))
    found = _map(album.get("tags")).get("tag")
    names = [str(_map(t).get("name", "")) for t in (found if isinstance(found, list) else [found])]
    return {"tags": [n.lower() for n in names if n][:8], "popularity": _number(album.get("listeners"))}


def _ask_discogs(row: AlbumRow, key: str) -> tuple[str, dict[str, str], dict[str, str]]:
    query = {"type": "master", "artist": row.artist, "release_title": row.album, "per_page": "1"}
    return "/database/search", query, {"Authorization": f"Discogs token={key}"}


def _read_discogs(answer: Any) -> dict[str, Any]:
    results = _map(answer).get("results")
    first = _map(results[0]) if isinstance(results, list) and results else {}
    names = [str(n).lower() for part in ("style", "genre") for n in (first.get(part) or []) if isinstance(n, str)]
    return {"tags": names[:8], "popularity": _number(_map(first.get("community")).get("have"))}


PROVIDERS = {
    "lastfm": Provider(
        "https://ws.audioscrobbler.com",
        "LASTFM_API_KEY",
        "https://www.last.fm/api/account/create",
        1.0,
        _ask_lastfm,
        _read_lastfm,
    ),
    "discogs": Provider(
        "https://api.discogs.com",
        "DISCOGS_TOKEN",
        "https://www.discogs.com/settings/developers",
        0.9,
        _ask_discogs,
        _read_discogs,
    ),
}
"""Catalogues whose terms allow this use with one's own key. Spotify is not here: its terms forbid training models on what it
answers. YouTube is not here: its terms forbid reading its pages by program. Previews and covers are not fetched at all."""


def main(words: list[str]) -> int:
    """`prepare catalogue IN.csv OUT.csv provider=NAME`; run it again after a kill and it goes on."""
    if not words or {"-h", "--help"} & set(words):
        sys.stdout.write(USAGE + "\n")
        return 0 if words else 2
    options = {k: v for k, _, v in (w.partition("=") for w in words) if k in ("provider", "per_second", "base") and v}
    paths = [w for w in words if w.partition("=")[0] not in ("provider", "per_second", "base")]
    if len(paths) != 2 or "provider" not in options:
        raise ConfigError(f"two tables and a provider are needed: {USAGE}")
    name = options["provider"]
    if name not in PROVIDERS:
        raise UnknownName(f"no catalogue {name!r}; {nearest(name, PROVIDERS)}")
    provider = PROVIDERS[name]
    key = os.environ.get(provider.variable, "").strip()
    if not key:
        raise ConfigError(
            f"{name} asks for a key of your own: get one at {provider.where} and set {provider.variable}=KEY"
        )
    try:
        pace = float(options.get("per_second", provider.per_second))
    except ValueError as error:
        raise ConfigError(f"per_second is a number, got {options['per_second']!r}: per_second=1") from error
    polite = Polite(per_second=pace, robots=False)
    known, asked = complete(Path(paths[0]), Path(paths[1]).expanduser(), provider, key, polite, options.get("base"))
    sys.stdout.write(f"{known} of {asked} albums known to {name}, in {paths[1]}\n")
    return 0


def complete(
    table: Path, out: Path, provider: Provider, key: str, polite: Polite, base: str | None = None
) -> tuple[int, int]:
    """Ask for every album of a table once, write the table with tags, genre and popularity filled in where they were empty.

    Returns:
        How many albums the catalogue knew, and how many there are.

    Raises:
        MediaError: no answer after all tries, or the key was refused; what was answered stays in `OUT.answers.jsonl`.
    """
    queue = Queue(out.with_suffix(".answers.jsonl"))
    rows, known = list(AlbumTable(table)), 0
    made = []
    with bar("albums") as tick:
        for i, row in enumerate(rows):
            name = f"{row.artist.casefold()}|{row.album.casefold()}"
            if name not in queue.done:
                path, query, headers = provider.ask(row, key)
                try:
                    text = polite.get(f"{(base or provider.base).rstrip('/')}{path}?{urlencode(query)}", headers)
                    queue.add(name, provider.read(parse_json(text)))
                except Gone as error:
                    if "key" in str(error):
                        raise
                    queue.add(name, {"tags": [], "popularity": None})
                except ValueError as error:
                    raise MediaError(
                        f"the answer for {row.artist} - {row.album} is no JSON: run it again later"
                    ) from error
            found = queue.done[name]
            known += bool(found["tags"] or found["popularity"] is not None)
            tags = row.tags or tuple(found["tags"])
            genre = row.genre or singular("; ".join(tags))
            popularity = row.popularity if row.popularity is not None else found["popularity"]
            made.append(replace(row, tags=tags, genre=genre, popularity=popularity))
            tick(i + 1, len(rows))
    write(out, made)
    return known, len(rows)


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
