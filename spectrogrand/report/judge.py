"""`spectrogrand judge FOLDER...`: a person compares candidates, two at a time and blinded, on a local page or in the terminal."""

from __future__ import annotations

import html
import mimetypes
import secrets
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ..errors import ConfigError, InvalidValue, UnknownName, nearest
from ..media import SOUNDS
from .judging import Judgement, append_judgement, collect, measure_agreement, plan_pairs, read_judgements

SETTINGS = {"out": "judgements.csv", "pairs": "20", "judge": "me", "port": "7861", "seed": "0"}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Which is better?</title>
<meta name="viewport" content="width=device-width">
<style>body{font:18px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;text-align:center;
background:#faf9f6;color:#222}.two{display:flex;gap:1.5rem;justify-content:center;flex-wrap:wrap}figure{margin:0;flex:1 1 18rem}
img{width:100%%;border-radius:6px}audio{width:100%%}button{font:inherit;padding:.6rem 1.4rem;border:1px solid #888;
border-radius:6px;background:#fff;cursor:pointer}button:hover,button:focus{background:#e9eef6}</style>
<h1>%(title)s</h1>%(body)s</html>"""


def main(words: list[str]) -> int:
    """`judge FOLDER... [out=FILE] [pairs=20] [judge=NAME] [port=7861] [seed=0] [--terminal]`, or `judge --agreement FILE...`."""
    options = [w for w in words if w.startswith("--")]
    for option in options:
        if option not in ("--terminal", "--agreement"):
            raise UnknownName(f"judge has no option {option!r}; {nearest(option, ['--terminal', '--agreement'])}")
    folders = [w for w in words if not w.startswith("--") and not ("=" in w and w.partition("=")[0] in SETTINGS)]
    given = dict(w.split("=", 1) for w in words if "=" in w and w.partition("=")[0] in SETTINGS)
    settings = SETTINGS | given
    if not folders:
        raise ConfigError("which candidates? give runs or folders: spectrogrand judge outputs judge=NAME")
    if "--agreement" in options:
        print(tell_agreement([row for file in folders for row in read_judgements(file)]))
        return 0
    for name in ("pairs", "port", "seed"):
        if not settings[name].isdigit():
            raise InvalidValue(f"{name} is a whole number, got {settings[name]!r}")
    pairs = plan_pairs(collect(folders), int(settings["pairs"]), int(settings["seed"]))
    ask = ask_in_terminal if "--terminal" in options else ask_on_page
    out = Path(settings["out"])

    def keep(pair: tuple[str, Path, Path], chosen: str) -> None:
        group, a, b = pair
        append_judgement(out, Judgement(group, a.as_posix(), b.as_posix(), chosen, settings["judge"]))

    ask(pairs, keep, int(settings["port"]))
    if out.exists():
        print(f"{out}\n{tell_agreement(read_judgements(out))}")
    return 0


def tell_agreement(rows: Sequence[Judgement]) -> str:
    """Two lines: how often judges agree with themselves and with each other."""
    found = measure_agreement(rows)
    alone, many = found["with oneself"], found["among judges"]
    return "\n".join([
        f"the same answer to the same pair: {alone[0]:.0%} of {alone[1]}" if alone[1] else "no pair was asked twice",
        f"agreement among judges: kappa {many[0]:.2f} over {many[1]} pairs" if many[1] else "one judge only",
    ])  # fmt: skip


Keep = Callable[[tuple[str, Path, Path], str], None]


def ask_in_terminal(pairs: Sequence[tuple[str, Path, Path]], keep: Keep, _: int = 0) -> None:
    """Names two files (links without the candidates' names) and reads 1, 2, = or q; the sound or picture opens elsewhere."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for k, pair in enumerate(pairs):
            shown = []
            for side, file in zip("12", pair[1:], strict=True):
                link = Path(folder) / f"{k + 1:03d}-{side}{file.suffix}"
                link.symlink_to(file.resolve())
                shown.append(link)
            print(f"{k + 1} of {len(pairs)}:  1 {shown[0]}   2 {shown[1]}")
            answer = ""
            while answer not in ("1", "2", "=", "q"):
                try:
                    answer = input("which is better? 1, 2, = (equal), q (stop): ").strip()
                except EOFError:
                    answer = "q"
            if answer == "q":
                return
            keep(pair, {"1": "a", "2": "b", "=": "equal"}[answer])


def ask_on_page(pairs: Sequence[tuple[str, Path, Path]], keep: Keep, port: int) -> None:
    """Serves one pair after another on 127.0.0.1 until all are answered or the command is stopped."""
    server = make_server(pairs, keep, port)
    print(f"open http://127.0.0.1:{server.server_address[1]}/{server.key} (Ctrl-C stops; every answer is kept at once)")
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


class PairServer(ThreadingHTTPServer):
    """The pairs, how many are answered, and the key without which nothing is served."""

    daemon_threads = True
    pairs: Sequence[tuple[str, Path, Path]]
    keep: Keep
    done: int
    key: str


def make_server(pairs: Sequence[tuple[str, Path, Path]], keep: Keep, port: int = 0) -> PairServer:
    """The page's server, bound to 127.0.0.1.

    Raises:
        ConfigError: the port is taken.
    """
    try:
        server = PairServer(("127.0.0.1", port), _Handler)
    except OSError as error:
        raise ConfigError(f"port {port} cannot be used ({error.strerror}): choose another, port=7862") from error
    server.pairs, server.keep, server.done, server.key = pairs, keep, 0, secrets.token_urlsafe(12)
    return server


class _Handler(BaseHTTPRequestHandler):
    """GET /KEY is the page, /KEY/K/a and /KEY/K/b its two files; POST /KEY is an answer. Names of files are not told."""

    server: PairServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path).path.strip("/").split("/")
        if parts[0] != self.server.key or not self._local():
            return self.send_error(404)
        if len(parts) == 1:
            return self._send(_page(self.server).encode(), "text/html; charset=utf-8")
        if len(parts) == 3 and parts[1] == str(self.server.done) and parts[2] in ("a", "b"):
            if self.server.done < len(self.server.pairs):
                _, left, right = self.server.pairs[self.server.done]
                file = left if parts[2] == "a" else right
                return self._send(file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream")
        return self.send_error(404)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if urlsplit(self.path).path.strip("/") != self.server.key or not self._local() or length > 1000:
            return self.send_error(404)
        form = parse_qs(self.rfile.read(length).decode("ascii", "replace"))
        chosen, number = form.get("chosen", [""])[0], form.get("number", [""])[0]
        server = self.server
        if chosen in ("a", "b", "equal") and number == str(server.done) and server.done < len(server.pairs):
            server.keep(server.pairs[server.done], chosen)
            server.done += 1
        self.send_response(303)
        self.send_header("Location", f"/{server.key}")
        self.end_headers()
        if server.done == len(server.pairs):
            import threading

            threading.Timer(2.0, server.shutdown).start()
        return None

    def log_message(self, *_: object) -> None:
        """Nothing is written for a request."""

    def _local(self) -> bool:
        return (self.headers.get("Host") or "").partition(":")[0] in ("127.0.0.1", "localhost")

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def _page(server: PairServer) -> str:
    k, total = server.done, len(server.pairs)
    if k >= total:
        return PAGE % {"title": "Thank you", "body": f"<p>All {total} pairs are answered; this page may be closed.</p>"}
    sides = []
    for side, file in zip("ab", server.pairs[k][1:], strict=True):
        link = html.escape(f"/{server.key}/{k}/{side}")
        sound = file.suffix.lower() in SOUNDS
        shown = f'<audio controls src="{link}"></audio>' if sound else f'<img src="{link}" alt="picture {side}">'
        button = f'<button name="chosen" value="{side}" accesskey="{side}">this one</button>'
        sides.append(f"<figure>{shown}<figcaption><p>{button}</p></figcaption></figure>")
    form = (
        f'<form method="post"><input type="hidden" name="number" value="{k}"><div class="two">{"".join(sides)}</div>'
        f'<p><button name="chosen" value="equal" accesskey="e">equal</button></p></form><p>{k + 1} of {total}</p>'
    )
    return PAGE % {"title": "Which is better?", "body": form}
