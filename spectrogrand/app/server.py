"""The web server: this machine only, files of runs and nothing else, no address outside, uploads limited."""

from __future__ import annotations

import io
import secrets
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import MediaError
from ..media.limits import Limits
from .forms import Place

HOST = "127.0.0.1"
LOCAL = ("127.0.0.1", "localhost", "[::1]", "testserver")
LARGEST_UPLOAD = "200mb"
THUMBNAIL = Limits(pixels=4096 * 4096, bytes=2**26)
"""What a cover may be to be shown small: the largest that a run draws; decoded in the page's own process."""
_ONE = threading.Lock()
KINDS = {
    ".html", ".json", ".txt", ".png", ".jpg", ".jpeg", ".webp", ".mp4", ".wav", ".flac", ".mp3", ".ogg", ".m4a", ".aac", ".opus",
}  # fmt: skip
PAGE_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
"""Gradio's page evaluates templates of its own; nothing may be loaded from, or sent to, anywhere else."""
RUN_POLICY = (
    "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def run_file(output: Path, name: str, file: str) -> Path | None:
    """A file of a run that the page may show; None for anything else: other folders, hidden files, other kinds, links outside.

    >>> run_file(Path("."), "..", "run.json") is None
    True
    """
    if not name or name != Path(name).name or name.startswith(".") or any(p.startswith(".") for p in Path(file).parts):
        return None
    if "\x00" in name + file:
        return None
    home = (output / name).resolve()
    path = (home / file).resolve()
    shown = home.parent == output.resolve() and (home / "run.json").is_file() and path.is_relative_to(home)
    return path if shown and path.is_file() and path.suffix.lower() in KINDS else None


def thumbnail(output: Path, name: str) -> bytes | None:
    """A run's cover as a small JPEG; None where it has none."""
    for file in ("cover.png", "covers/0.png"):
        path = run_file(output, name, file)
        if path is not None:
            return _small(str(path), path.stat().st_mtime_ns)
    return None


@lru_cache(maxsize=256)
def _small(path: str, changed: int) -> bytes | None:
    from PIL import Image as Pillow

    from ..media import load_image

    with _ONE:  # at a time: requests come in threads
        try:
            picture = Pillow.fromarray(load_image(path, limits=THUMBNAIL).pixels)
        except MediaError:
            return None
        picture.thumbnail((480, 480), Pillow.Resampling.LANCZOS)
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=84)
    return held.getvalue()


def local_origin(origin: str | None) -> bool:
    """Whether a request comes from a page of this machine (or from no page at all).

    >>> local_origin(None), local_origin("http://127.0.0.1:7860"), local_origin("https://example.org"), local_origin("null")
    (True, True, False, False)
    """
    if not origin:
        return True
    try:
        return urlsplit(origin).hostname in ("127.0.0.1", "localhost", "::1")
    except ValueError:
        return False


def serve(place: Place, blocks: Any, clear: Callable[[], int] | None = None, key: str = "", **look: Any) -> Any:
    """The web application: gradio's page at /, runs at /runs, small covers at /thumbs.

    Args:
        blocks: the gradio page. look: its theme, style and head.
        clear: empties the queue, for whoever posts the owner's `key` to /clear; None is nobody.
    """
    import gradio
    from fastapi import FastAPI, Header, Request, Response
    from fastapi.responses import FileResponse, PlainTextResponse
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(LOCAL))

    @app.middleware("http")
    async def guard(request: Request, answer: Any) -> Response:
        if request.method not in ("GET", "HEAD") and not local_origin(request.headers.get("origin")):
            return PlainTextResponse("this page only answers to itself", 403)
        response: Response = await answer(request)
        own = request.url.path.startswith("/runs/")
        response.headers["Content-Security-Policy"] = RUN_POLICY if own else PAGE_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @app.get("/runs/{name}/{file:path}")
    def shown(name: str, file: str) -> Response:
        path = run_file(place.output, name, file)
        return FileResponse(path) if path else PlainTextResponse("there is no such file of a run", 404)

    @app.get("/thumbs/{name}.jpg")
    def thumb(name: str) -> Response:
        small = thumbnail(place.output, name)
        return Response(small, media_type="image/jpeg") if small else PlainTextResponse("this run has no cover", 404)

    @app.post("/clear")
    def cleared(key_given: str = Header("", alias="x-owner-key")) -> Response:
        if clear is None or not key or not secrets.compare_digest(key_given.encode(), key.encode()):
            return PlainTextResponse("only the owner may clear the queue", 403)
        return PlainTextResponse(f"{clear()} waiting jobs cancelled")

    return gradio.mount_gradio_app(
        app, blocks, path="", server_name=HOST, footer_links=[], run_history=False, max_file_size=LARGEST_UPLOAD,
        blocked_paths=[str(place.output / ".store"), str(place.output / ".indexes")], show_error=True, ssr_mode=False,
        enable_monitoring=False, mcp_server=False, **look,
    )  # fmt: skip
