"""The report: complete, honest about failures, safe against hostile text, and a page that a browser shows whole."""

import hashlib
import json
import re
import shutil
import subprocess
from fractions import Fraction
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image as Pillow

from spectrogrand import Audio, Frames, Image, media
from spectrogrand.errors import StoreError
from spectrogrand.report.page import write_report
from spectrogrand.report.view import view

HOSTILE = "</title><script>alert('x')</script> \"a\" & {{ 7 * 7 }} {% raw %} ../../x"


def picture(seed, size=96):
    """A cover-like picture: a gradient with a few discs."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    base = np.outer(1 - y.ravel(), rng.integers(20, 130, 3)) + np.outer(y.ravel(), rng.integers(60, 255, 3))
    pixels = base.reshape(size, size, 3)
    for _ in range(5):
        cx, cy, r = rng.random(3) * (1, 1, 0.3)
        pixels[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = rng.integers(0, 255, 3)
    return Image(pixels.astype(np.uint8))


def sound(seed, seconds=1.0, rate=8000):
    t = np.arange(int(seconds * rate)) / rate
    return Audio((0.3 * np.sin(2 * np.pi * (220 + 30 * seed) * t))[None].astype(np.float32), rate)


def sample_run(folder, topic="a futuristic spaceship", size=96, covers=None):
    """A finished run directory with real files, as the pipeline would leave it."""
    (folder / "songs").mkdir(parents=True)
    (folder / "covers").mkdir()
    for k in range(4):
        media.save_audio(folder / f"songs/{k}.wav", sound(k))
        media.save_image(folder / f"covers/{k}.png", covers[k] if covers else picture(k, size))
    (folder / "song.wav").write_bytes((folder / "songs/2.wav").read_bytes())
    (folder / "cover.png").write_bytes((folder / "covers/1.png").read_bytes())
    cover = media.load_image(folder / "cover.png").pixels
    size = cover.shape[:2]
    moving = Frames(lambda: (np.roll(cover, 3 * k, axis=1) for k in range(10)), size, 10, Fraction(10))
    videos = {n: f"{n}.mp4" for n in ("static", "dynamic_content", "dynamic_style", "motion")}
    for name in videos.values():
        media.save_video(folder / name, moving, sound(2), preset="ultrafast", threads=1)
    plan = {
        "tempo": 124.0, "key": "A", "mode": "minor", "genre": "future", "beats": [0.0, 0.48], "downbeats": [0.0, 1.9, 3.9],
        "sections": [
            {"name": n, "start": a, "end": b}
            for n, a, b in (("intro", 0, 1.9), ("build", 1.9, 3.9), ("drop", 3.9, 7.7), ("break", 7.7, 9), ("outro", 9, 10))
        ],
    }  # fmt: skip
    songs = [
        {"index": k, "seed": k, "file": f"songs/{k}.wav", "sha256": "ab" * 32, "failed": None,
         "scores": {"novelty": 0.2 + 0.03 * k, "danceability": 1.9 - 0.1 * k},
         "used": {"novelty": 0.3 + 0.2 * k, "danceability": 0.8 - 0.1 * k}, "total": 0.55 + 0.05 * k,
         "plan": {**plan, "tempo": 122.0 + k}, "brief": None}
        for k in range(4)
    ]  # fmt: skip
    songs[3].update(failed="is silent (-91 dBFS)", total=None, used={"novelty": None, "danceability": None},
                    scores={"novelty": None, "danceability": None})  # fmt: skip
    briefs = [("dark blue", "unveils"), ("dark blue", "surprises"), ("red", "unveils"), ("red", "surprises")]
    made_covers = [
        {"index": k, "seed": k, "file": f"covers/{k}.png", "sha256": "cd" * 32, "failed": None,
         "scores": {"aesthetics": 0.5 + 0.04 * k, "cover_surprise": 12.5 - k},
         "used": {"aesthetics": 0.5 + 0.1 * k, "cover_surprise": 0.9 - 0.15 * k}, "total": 0.7 - 0.02 * k,
         "plan": None, "brief": {"topic": topic, "genre": "future", "colour": c, "word": w}}
        for k, (c, w) in enumerate(briefs)
    ]  # fmt: skip

    def scorer(name, aspect, reference="house_synth"):
        return {"plugin": name, "aspect": aspect, "weight": 1.0,
                "reference": {"name": reference, "count": 160, "sha256": "ef" * 32} if reference else None}  # fmt: skip

    def part(name, summary, **more):
        return {"name": name, "summary": summary, "licence": "Apache-2.0", "paper": "", "terms": "", "weights": [],
                "identity": {}, **more}  # fmt: skip

    files = sorted(p for p in folder.rglob("*") if p.is_file())
    record = {
        "schema": 1, "state": "finished", "name": "a-futuristic-spaceship-1", "topic": topic, "seed": 0,
        "started": "2026-11-20T21:00:00+00:00", "seconds": 31.4, "version": "0.1.0",
        "platform": {"python": "3.11.7", "system": "Linux"}, "warnings": [], "error": None,
        "config": {"topic": topic, "seed": 0, "song": {"name": "house_synth", "duration": 10.0}, "size": 512},
        "steps": [
            {"slot": "song", "name": "house_synth", "reused": 1, "made": 3, "seconds": 2.81},
            {"slot": "song scores", "name": "", "reused": 0, "made": 4, "seconds": 1.93},
            {"slot": "cover", "name": "procedural_cover", "reused": 0, "made": 4, "seconds": 4.2},
            {"slot": "static video", "name": "", "reused": 0, "made": 1, "seconds": 2.0},
            {"slot": "dynamic_content video", "name": "sliced_transport", "reused": 0, "made": 1, "seconds": 9.7},
            {"slot": "motion video", "name": "motion", "reused": 0, "made": 1, "seconds": 6.02},
        ],
        "choices": {
            "song": {"rule": "quantile", "why": "candidate 2 has the highest weighted mean: novelty 0.70, danceability 0.60.",
                     "chosen": 2, "candidates": songs,
                     "scorers": {"novelty": scorer("novelty", "novelty"), "danceability": scorer("danceability", "value")}},
            "cover": {"rule": "quantile", "why": "cover 1 has the highest weighted mean.", "chosen": 1,
                      "candidates": made_covers,
                      "scorers": {"aesthetics": scorer("aesthetics", "value", None),
                                  "cover_surprise": scorer("cover_surprise", "surprise", "covers")}},
        },
        "genre": {"plugin": "timbre_genre", "chosen": "future",
                  "probabilities": {"future": 0.71, "bass": 0.18, "progressive": 0.08, "melodic": 0.03}},
        "parts": {
            "song": part("house_synth", "house music, synthesised, of exact tempo"),
            "song scorer novelty": part("novelty", "distance to known songs", paper="Jaisankar & Jayagopi, ICVGIP 2024"),
            "stylizer": part("magenta", "arbitrary style transfer", terms="weights for research",
                             weights=[{"source": "hub/magenta", "revision": "0123456789abcdef" * 2, "megabytes": 8,
                                       "licence": "Apache-2.0"}]),
        },
        "files": {str(p.relative_to(folder)): {"sha256": hashlib.sha256(p.read_bytes()).hexdigest(),
                                               "bytes": p.stat().st_size} for p in files},
        "videos": videos,
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record))
    return record


def change(folder, **parts):
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**record, **parts}))


class Page(HTMLParser):
    """What a test asks of a page: its links, tags and text, and whether its tags close."""

    VOID = ("meta", "img", "br", "link", "input", "hr")

    def __init__(self, path):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"{tag} closes out of turn"

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text += data

    def links(self):
        return [a[k] for _, a in self.tags for k in ("src", "href", "poster") if a.get(k)]

    def all(self, tag):
        return [a for t, a in self.tags if t == tag]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    sample_run(folder)
    return folder


@pytest.fixture
def run(made, tmp_path):
    """A fresh copy of the sample run, in a folder whose name is awkward in a URL."""
    return shutil.copytree(made, tmp_path / "a run, #1 100%")


@pytest.fixture(scope="module")
def finished(made, tmp_path_factory):
    folder = shutil.copytree(made, tmp_path_factory.mktemp("runs") / "a run, #1 100%")
    return Page(write_report(folder)), folder


def test_every_link_is_a_file_of_the_run(finished):
    page, folder = finished
    links = [x for x in page.links() if not x.startswith("data:image/jpeg;base64,")]
    assert all(x.startswith("./") for x in links) and len(links) > 12
    assert {unquote(x)[2:] for x in links} >= {"song.wav", "cover.png", "motion.mp4", "songs/0.wav", "covers/3.png"}
    assert all((folder / unquote(x)).is_file() for x in links)
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!'\./)", page.source)


def test_it_shows_the_choice_with_every_score_and_reason(finished):
    page, _ = finished
    for text in ("a futuristic spaceship", "Song 2 has the highest", "is silent (-91 dBFS)", "0.260", "→ 0.70", "12.5", "71.0 %",
                 "124 BPM", "A minor", "future house", "house_synth (160 items)", "31.4 s", "weights for research",
                 "Jaisankar", "0123456789ab"):  # fmt: skip
        assert text in page.text, text
    assert page.text.count("chosen") == 2 and page.text.count("failed") == 1


def test_the_page_is_well_formed_and_labelled(finished):
    page, _ = finished
    assert page.open == []
    assert all(a.get("alt") for a in page.all("img"))
    assert all(a.get("aria-label") and "controls" in a for a in page.all("audio") + page.all("video"))
    assert (
        all(a.get("poster", "").startswith("data:image/jpeg") for a in page.all("video"))
        and len(page.all("video")) == 4
    )
    assert [t for t, _ in page.tags].count("h1") == 1


def test_a_hostile_topic_stays_text(run):
    change(run, topic=HOSTILE, error=HOSTILE, state="failed", warnings=[HOSTILE])
    page = Page(write_report(run))
    assert len(page.all("script")) == 1 and "alert(" not in page.source.split("<script>")[1]
    assert page.text.count(HOSTILE) == 5 and "49" not in page.text.split("Genre")[0]


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/passwd", "javascript:alert(1)", "https://example.org/a.png", "no.png"]
)
def test_files_outside_the_run_are_not_linked(run, tmp_path, name):
    (tmp_path / "secret.png").write_bytes(b"x")
    record = json.loads((run / "run.json").read_text())
    record["choices"]["cover"]["candidates"][0]["file"] = name
    change(run, choices=record["choices"], videos={"static": name}, files={name: {"sha256": "", "bytes": 1}})
    page = Page(write_report(run))
    assert not any(name in unquote(x) for x in page.links()) and not page.all("video")


@pytest.mark.parametrize(
    "missing", ["choices", "genre", "steps", "parts", "files", "videos", "config", "platform", "topic", "seed"]
)
@pytest.mark.parametrize("value", [None, "", [], 7])
def test_missing_and_odd_parts_are_left_out(run, monkeypatch, missing, value):
    monkeypatch.setattr("spectrogrand.report.view.poster", lambda path: None)
    change(run, **{missing: value})
    assert Page(write_report(run)).open == []


def test_a_failed_run_says_why(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"state": "failed", "topic": "x", "error": "no song can be used"}))
    page = Page(write_report(tmp_path))
    assert "This run failed." in page.text and "no song can be used" in page.text


def test_an_interrupted_run_says_what_to_do(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"state": "interrupted", "topic": "x"}))
    assert "finished steps are reused" in Page(write_report(tmp_path)).text


@pytest.mark.parametrize("content", [None, "", "[]", "{", "\x00"])
def test_no_record_is_one_clear_error(tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(StoreError, match="give the folder of a run"):
        write_report(tmp_path)


def test_published_bars_are_relative_to_the_best(run):
    record = json.loads((run / "run.json").read_text())
    song = record["choices"]["song"]
    song["rule"] = "published"
    for c in song["candidates"][:3]:
        c["used"], c["total"] = c["scores"], sum(c["scores"].values()) / 2
    shares = [r["share"] for r in view(record, run)["choices"][0]["candidates"][0]["rows"]]
    assert shares == pytest.approx([0.2 / 0.26, 1.0])


def shoot(browser, page, target, width, height, home):
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", f"--user-data-dir={home}",
         "--virtual-time-budget=3000", f"--window-size={width},{height}", f"--screenshot={target}", page.as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return np.asarray(Pillow.open(target).convert("RGB")).astype(int)


def test_a_browser_shows_the_cover_and_fits_a_phone(browser, finished, tmp_path):
    _, folder = finished
    wide = shoot(browser, folder / "report.html", tmp_path / "wide.png", 1280, 900, tmp_path / "home")
    cover = np.asarray(Pillow.open(folder / "cover.png").resize((400, 400))).astype(int)
    y, x = 40, (1280 - 1120) // 2
    found = min(
        np.abs(wide[y + dy : y + dy + 400, x + dx : x + dx + 400] - cover).mean()
        for dy in range(-20, 60, 4) for dx in range(-8, 9, 4)
    )  # fmt: skip
    assert found < 25, "the chosen cover stands at the left of the head"
    probe = folder / "probe.html"
    seen = "document.documentElement.scrollWidth + ' ' + document.querySelector('img').naturalWidth"
    probe.write_text((folder / "report.html").read_text() + f"<script>document.title = {seen}</script>")
    out = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'home2'}",
         "--window-size=500,900", "--virtual-time-budget=3000", "--dump-dom", probe.as_uri()],
        check=True, capture_output=True, text=True, timeout=120,
    ).stdout  # fmt: skip
    probe.unlink()
    width, natural = re.search(r"<title>(\d+) (\d+)</title>", out).groups()
    assert int(width) <= 500 and int(natural) == 96
