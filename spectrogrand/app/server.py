"""The web server: this machine only, files of runs and nothing else, no address outside, uploads limited."""

from __future__ import annotations

import io
import json
import secrets
import shutil
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import InvalidValue, MediaError, SpectrograndError
from ..media.limits import Limits
from . import views
from .forms import Place, again, with_token
from .jobs import Jobs

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


def packed(output: Path, name: str) -> bytes | None:
    """A run's videos, song, cover and page as one zip file; None where there is no such run."""
    import zipfile

    if run_file(output, name, "run.json") is None:
        return None
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted((output / name).iterdir()):
            if run_file(output, name, path.name) is not None and path.suffix != ".json":
                archive.write(path, f"{name}/{path.name}")
    return held.getvalue()


def remove(output: Path, name: str, busy: Path | None) -> None:
    """Delete a run's folder; what it was made of stays in the store for other runs.

    Raises:
        InvalidValue: no such run, or it is being made.
    """
    if run_file(output, name, "run.json") is None:
        raise InvalidValue("this run is not there any more")
    folder = (output / name).resolve()
    if busy is not None and busy.resolve() == folder:
        raise InvalidValue("this run is being made: cancel it first")
    shutil.rmtree(folder)


def serve(place: Place, blocks: Any, jobs: Jobs | None = None, key: str = "", **look: Any) -> Any:
    """The web application: gradio's page at /, runs at /runs, small covers at /thumbs, jobs of buttons at /jobs.

    Args:
        blocks: the gradio page.
        jobs: the queue that buttons on past runs add to, and that whoever posts the owner's
        `key` to /clear empties.
        look: its theme, style and head.
    """
    import gradio
    from fastapi import FastAPI, Header, Request, Response
    from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
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
        if jobs is None or not key or not secrets.compare_digest(key_given.encode(), key.encode()):
            return PlainTextResponse("only the owner may clear the queue", 403)
        return PlainTextResponse(f"{jobs.clear()} waiting jobs cancelled")

    @app.get("/packed/{name}.zip")
    def all_files(name: str) -> Response:
        held = packed(place.output, name)
        if held is None:
            return PlainTextResponse("there is no such run", 404)
        return Response(held, media_type="application/zip", headers={"Content-Disposition": "attachment"})

    @app.post("/again/{name}")
    async def once_more(name: str, request: Request) -> Response:
        try:
            asked = json.loads(await request.body() or b"[]")
            if jobs is None or not isinstance(asked, list):
                raise InvalidValue("a list of words is expected")
            who = f"buttons of {request.client.host if request.client else 'nobody'}"
            job = jobs.add(lambda token: with_token(again(place, name, asked), token), who)
        except (SpectrograndError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"token": job.token})

    @app.get("/jobs/{token}")
    def stands(token: str) -> Response:
        job = jobs.find(token) if jobs is not None else None
        if jobs is None or job is None:
            return JSONResponse({"error": "there is no such job"}, 404)
        return JSONResponse({
            "over": job.over, "html": views.ended(jobs, job) if job.over else views.progress(jobs, job)
        })  # fmt: skip

    @app.post("/cancel/{token}")
    def cancel(token: str) -> Response:
        if jobs is not None:
            jobs.cancel(token)
        return JSONResponse({})

    @app.post("/delete/{name}")
    def delete(name: str) -> Response:
        try:
            remove(place.output, name, jobs.busy if jobs is not None else None)
        except (SpectrograndError, OSError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({})

    return gradio.mount_gradio_app(
        app, blocks, path="", server_name=HOST, footer_links=[], run_history=False, max_file_size=LARGEST_UPLOAD,
        blocked_paths=[str(place.output / ".store"), str(place.output / ".indexes")], show_error=True, ssr_mode=False,
        enable_monitoring=False, mcp_server=False, **look,
    )  # fmt: skip
