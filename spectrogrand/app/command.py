"""`spectrogrand app`: the page at 127.0.0.1, until Ctrl-C."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from ..errors import ConfigError, SpectrograndError, StoreError, UnknownName, nearest, require
from ..files import disk_errors
from .forms import Place
from .jobs import Jobs
from .server import HOST
from .tidying import sweep_indexes, sweep_uploads

OPTIONS = ("port", "output", "index")
PORT = 7860
PIPELINES = ("audiovisual", "music_visuals", "latent_visualizer", "album_cover", "image_to_music", "recommendation")
"""What the page's forms run."""


def main(words: list[str]) -> int:
    """`app [port=7860] [output=outputs] [index=FOLDER] [setting=value ...]`; more settings go to every run that takes them."""
    require("gradio", "app", "the page")
    given = dict(w.split("=", 1) for w in words if "=" in w)
    odd = [w for w in words if "=" not in w]
    if odd:
        raise UnknownName(
            f"spectrogrand app takes settings such as port=7861, not {odd[0]!r}; {nearest(odd[0], OPTIONS)}"
        )
    port = given.get("port", str(PORT))
    if not port.isdecimal() or not 1024 <= int(port) <= 65535:
        raise ConfigError(f"port is a number from 1024 to 65535, got {port!r}: set port={PORT}")
    place = prepare(given)
    _free(int(port))

    jobs = Jobs(place.output)
    try:
        serve_page(place, jobs, int(port))
    finally:
        jobs.close()
    return 0


def prepare(given: dict[str, str]) -> Place:
    """The page's folders, made and checked, from the words of the command."""
    if given.get("index"):
        from ..lyrics.searching import Index

        Index(Path(given["index"]))
    words = sorted_out([f"{k}={v}" for k, v in given.items() if k not in OPTIONS])
    output = Path(given.get("output") or "outputs").expanduser().absolute()
    with disk_errors(output):
        (output / ".uploads").mkdir(parents=True, exist_ok=True, mode=0o700)
        sweep_uploads(output / ".uploads")
        sweep_indexes(output / ".indexes")
    index = Path(given["index"]).expanduser().absolute() if given.get("index") else None
    return Place(output, output / ".uploads", index, words)


def sorted_out(words: list[str]) -> dict[str, tuple[str, ...]]:
    """Which pipelines take which of the settings: `motion.zoom=1` means nothing to one that moves no cover.

    Raises:
        UnknownName, ConfigError: what the command line says of a setting that no pipeline takes.

    >>> sorted(sorted_out(["motion.zoom=1.0"]))
    ['audiovisual', 'image_to_music']
    """
    from ..config import compose

    kept: dict[str, list[str]] = {}
    for word in words:
        refused: SpectrograndError | None = None
        taken = False
        for pipeline in PIPELINES:
            try:
                compose([f"pipeline={pipeline}", *kept.get(pipeline, []), word])
            except SpectrograndError as error:
                refused = refused or error
            else:
                kept.setdefault(pipeline, []).append(word)
                taken = True
        if refused and not taken:
            raise refused
    return {pipeline: tuple(some) for pipeline, some in kept.items()}


def serve_page(place: Place, jobs: Jobs, port: int) -> None:
    """Build the page and serve it until it is stopped."""
    os.environ.update(  # read when gradio is imported; the last two keep its own look-ups of the web away
        GRADIO_TEMP_DIR=str(place.uploads),
        GRADIO_ANALYTICS_ENABLED="False",
        HF_HUB_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
    )
    import uvicorn

    from .page import build
    from .server import serve

    page, look = build(place, jobs)
    key = secrets.token_urlsafe(16)
    app = serve(place, page, jobs, key, **look)
    sys.stderr.write(
        f"spectrogrand: empty the queue with curl -X POST -H 'x-owner-key: {key}' http://{HOST}:{port}/clear\n"
    )
    sys.stderr.write(f"spectrogrand: the page is at http://{HOST}:{port} (Ctrl-C ends it); runs go to {place.output}\n")
    uvicorn.run(app, host=HOST, port=port, log_level="warning", timeout_graceful_shutdown=2)


def _free(port: int) -> None:
    """Check the port before anything slow is loaded."""
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise StoreError(f"port {port} is taken ({error.strerror}): choose another with port={port + 1}") from error
