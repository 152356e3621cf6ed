"""prepare mumu: lists to covers and twins, downloads against a server on this machine, which misbehaves as servers do."""

import csv
import io
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from spectrogrand import Generator, Image, media, registry
from spectrogrand.__main__ import main
from spectrogrand.errors import CandidateError, ConfigError, MediaError
from spectrogrand.preparing import mumu
from spectrogrand.preparing.downloads import AGENT, Downloader, NoPicture

GENRE = "Dance & Electronic"


def jpeg(seed, side=120):
    from PIL import Image as Pillow

    rng = np.random.default_rng(seed)
    field = np.kron(rng.integers(0, 255, (6, 6, 3), np.uint8), np.ones((side // 6, side // 6, 1), np.uint8))
    file = io.BytesIO()
    Pillow.fromarray(field).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def server():
    """Answers by path; `asked` counts requests; `answers` are lists of (status, headers, body), the last one repeated."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self):
            asked[self.path] += 1
            agents.add(self.headers["User-Agent"])
            known = answers.get(self.path) or [(404, {}, b"gone")]
            status, headers, body = known[min(asked[self.path], len(known)) - 1]
            self.send_response(status)
            for key, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    asked, answers, agents = Counter(), {}, set()
    made = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    made.asked, made.answers, made.agents = asked, answers, agents
    made.at = f"http://127.0.0.1:{made.server_address[1]}"
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def downloader(tmp_path, clock):
    return Downloader(tmp_path / "kept", 2.0, tries=3, timeout=2.0, sleep=clock.sleep, clock=clock)


def test_a_picture_is_asked_for_once(server, downloader):
    server.answers["/a.jpg"] = [(200, {}, jpeg(0))]
    path, image = downloader.picture(server.at + "/a.jpg")
    assert image.size == (120, 120) and path.read_bytes() == jpeg(0)
    downloader.picture(server.at + "/a.jpg")
    assert server.asked["/a.jpg"] == 1 and server.agents == {AGENT}


def test_requests_keep_their_distance(server, downloader, clock):
    for k in range(4):
        server.answers[f"/{k}.jpg"] = [(200, {}, jpeg(k))]
        downloader.picture(f"{server.at}/{k}.jpg")
    assert clock.slept == pytest.approx([0.5] * 3)  # two a second


def test_a_busy_server_is_given_the_time_it_asks_for(server, downloader, clock):
    server.answers["/a.jpg"] = [(503, {}, b""), (429, {"Retry-After": "7"}, b""), (200, {}, jpeg(0))]
    downloader.picture(server.at + "/a.jpg")
    assert server.asked["/a.jpg"] == 3 and clock.slept == pytest.approx([1.0, 7.0])


def test_it_gives_up_after_its_tries_and_asks_again_another_day(server, downloader):
    server.answers["/a.jpg"] = [(500, {}, b"")] * 3 + [(200, {}, jpeg(0))]
    with pytest.raises(MediaError, match="answered 500, 3 times"):
        downloader.picture(server.at + "/a.jpg")
    assert downloader.picture(server.at + "/a.jpg")[1].size == (120, 120)


def test_a_cut_answer_is_fetched_again(server, downloader):
    whole = jpeg(0)
    server.answers["/a.jpg"] = [(200, {"Content-Length": str(len(whole))}, whole[:200]), (200, {}, whole)]
    assert downloader.picture(server.at + "/a.jpg")[0].read_bytes() == whole
    assert server.asked["/a.jpg"] == 2


@pytest.mark.parametrize("answer, said", [
    ((404, {}, b"gone"), "answered 404"),
    ((200, {}, b"<html>no picture here</html>"), "is no picture"),
    ((200, {}, jpeg(0, 12)), "placeholder of 12 x 12"),
    ((200, {}, b"x" * 5000), "more than 4,000 bytes"),
    ((302, {"Location": "file:///etc/passwd"}, b""), "answered 302"),
])  # fmt: skip
def test_what_is_no_picture_is_refused_and_remembered(server, downloader, answer, said):
    server.answers["/a.jpg"] = [answer]
    downloader.most = 4000
    for _ in range(2):
        with pytest.raises(NoPicture, match=said) as told:
            downloader.picture(server.at + "/a.jpg")
        assert str(downloader.cache) not in str(told.value)
    assert server.asked["/a.jpg"] == 1
    assert {p.suffix for p in downloader.cache.iterdir()} == {".none"}


def test_a_dead_host_and_addresses_that_are_none(downloader):
    with pytest.raises(MediaError, match="gave no answer"):
        downloader.picture("http://127.0.0.1:9/a.jpg")
    for address in ("file:///etc/passwd", "ftp://x/y", "a.jpg", "http:///x"):
        with pytest.raises(NoPicture, match="no http address"):
            downloader.picture(address)
    with pytest.raises(ConfigError, match="polite"):
        Downloader(downloader.cache, per_second=100)


# -- the lists ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def lists(tmp_path, server):
    """MuMu's two files in their own layouts: a line per track, one cover gone, one shared, one album of another genre."""
    with open(tmp_path / "multi.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["amazon_id", "album_mbid", "MSD_track_id", "recording_mbid", "artist_mbid", "genres"])
        for k in range(12):
            genres = GENRE if k != 3 else "Jazz"
            for track in range(2):
                writer.writerow([f"B{k:06}", "m", f"TR{k}{track}", "r", "a", genres])
        writer.writerow(["B000012", "m", "TR120", "r", "a", f"{GENRE},Techno"])
    albums = [{"amazon_id": "B000012", "imUrl": f"{server.at}/12.jpg", "title": "Of two genres"}]
    for k in range(12):
        server.answers[f"/{k}.jpg"] = [(200, {}, jpeg(k % 11))]  # number 11 has the cover of number 0
        albums.append(
            {"amazon_id": f"B{k:006}", "imUrl": f"{server.at}/{k}.jpg", "title": f"Drum &amp; Bass {k}", "price": 9}
        )
    del server.answers["/5.jpg"], albums[7]["title"]
    (tmp_path / "meta.json").write_text(json.dumps([*albums, {"amazon_id": "../../x", "imUrl": "http://x/y.jpg"}, 7]))
    return tmp_path / "multi.csv", tmp_path / "meta.json"


def test_a_genre_is_read_from_mumu(lists):
    albums = mumu.select(*lists, GENRE)
    assert [a.name for a in albums] == [f"B{k:06}" for k in range(12) if k != 3]
    assert albums[0].title == "Drum & Bass 0" and albums[5].title == ""
    assert [a.name for a in mumu.select(*lists, "Jazz")] == ["B000003"]
    lines = lists[1].with_suffix(".jsonl")
    lines.write_text("\n".join(map(json.dumps, json.loads(lists[1].read_text()))))
    assert mumu.select(lists[0], lines, GENRE) == albums


def test_an_album_of_several_genres_counts_only_where_it_is_asked_for(lists):
    assert "B000012" in [a.name for a in mumu.select(*lists, GENRE, "among")]
    assert len(mumu.select(*lists, GENRE, "among")) == len(mumu.select(*lists, GENRE)) + 1
    assert [a.title for a in mumu.select(*lists, "Techno", "among")] == ["Of two genres"]
    with pytest.raises(ConfigError, match="no album of the genre 'Techno'; .*match=among takes albums that have it"):
        mumu.select(*lists, "Techno")
    with pytest.raises(ConfigError, match="match is only or among, got 'any'"):
        mumu.select(*lists, GENRE, "any")


def test_the_command_writes_pairs_that_training_reads(lists, server, tmp_path, capsys):
    out = tmp_path / "covers"
    words = ["prepare", "mumu", *map(str, lists), str(out), "cover=procedural_cover", "cover.size=64", "per_second=20"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "9 covers and their twins; 2 left out" in said and "answered 404" in said and "same cover as B000000" in said
    pairs = {
        half: {p.relative_to(out).parts[0] + p.stem for p in out.glob(f"*/{half}/*.jpg")} for half in ("human", "ai")
    }
    assert pairs["human"] == pairs["ai"] and len(pairs["ai"]) == 9
    assert all(media.load_image(p).size == (256, 256) for p in out.glob("*/*/*.jpg"))
    rows = list(csv.DictReader((out / "covers.csv").open()))
    assert {r["split"] + r["amazon_id"] for r in rows} == pairs["ai"]
    assert rows[0]["album_name"] == "Drum & Bass 0"

    from spectrogrand.training.pictures import folders

    if len({r["split"] for r in rows}) == 3:
        assert len(folders.covers(out)) == 18
    before = {p: p.read_bytes() for p in out.glob("*/*/*.jpg")}
    asked = sum(server.asked.values())
    next(iter(out.glob("*/ai/*.jpg"))).unlink()  # as if killed
    assert main(words) == 0
    assert {p: p.read_bytes() for p in out.glob("*/*/*.jpg")} == before
    assert sum(server.asked.values()) == asked


def test_a_twin_is_asked_for_by_colour_name_and_title(lists, tmp_path, downloader, monkeypatch):
    got = []

    class Spy(Generator):
        source, artefact, batch_size = mumu.CoverBrief, Image, 4
        name = "spy"

        def generate(self, sources, seeds):
            got.extend(zip(sources, seeds, strict=True))
            assert len(sources) <= 4
            return [Image(np.full((64, 64, 3), 9, np.uint8)) for _ in sources]

    monkeypatch.setattr(registry, "build", lambda kind, config: Spy())
    albums = mumu.select(*lists, GENRE)
    count, failed = mumu.prepare(albums, tmp_path / "out", downloader, {"name": "spy"}, seed=3)
    assert count == len(got) == 9 and len(failed) == 2
    brief, seed = got[0]
    assert brief.topic == "Drum & Bass 0" and brief.colour == mumu.colour_name(
        media.load_image(downloader.picture(albums[0].address)[0]).resized(256, 256)
    )
    assert got[4][0].topic == "dance music"  # no title is known
    assert len({s for _, s in got}) == 9 and seed >= 0


def test_a_twin_that_cannot_be_drawn_leaves_its_album_out(lists, tmp_path, downloader, monkeypatch):
    class Moody(Generator):
        source, artefact, batch_size = mumu.CoverBrief, Image, 4
        name = "moody"

        def generate(self, sources, seeds):
            if len(sources) > 2:
                raise MemoryError("four are too many")
            grey = Image(np.full((64, 64, 3), 9, np.uint8))
            return [CandidateError("is black") if s.topic.endswith(" 4") else grey for s in sources]

    monkeypatch.setattr(registry, "build", lambda kind, config: Moody())
    count, failed = mumu.prepare(mumu.select(*lists, GENRE), tmp_path / "out", downloader, {"name": "moody"})
    assert count == 8 and "B000004 has no twin: is black" in failed
    assert (
        not list((tmp_path / "out").glob("*/*/B000004.jpg")) and len(list((tmp_path / "out").glob("*/*/*.jpg"))) == 16
    )
    assert "B000004" not in (tmp_path / "out/covers.csv").read_text()


def test_sdxl_is_given_the_album_prompt(lists, tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(mumu, "prepare", lambda albums, out, downloader, cover, seed: seen.update(cover) or (0, []))
    monkeypatch.setattr(
        mumu, "compose", lambda words: {"cover": {"name": words[0].split("=")[1], "prompt": "x", "words": words}}
    )
    assert main(["prepare", "mumu", *map(str, lists), str(tmp_path / "o"), "cover.steps=5", "limit=2"]) == 0
    assert seen == {"name": "sdxl", "prompt": mumu.PROMPT, "words": ["cover=sdxl", "cover.steps=5"]}
    main(["prepare", "mumu", *map(str, lists), str(tmp_path / "o"), "cover.prompt=mine"])
    assert seen["prompt"] == "x"


def test_splits_follow_the_published_shares_and_never_move():
    names = [f"B{k:09}" for k in range(4000)]
    counts = Counter(map(mumu.split_of, names))
    for split, share in (("train", 256 / 506), ("val", 78 / 506), ("test", 172 / 506)):
        assert counts[split] / 4000 == pytest.approx(share, abs=0.03)
    assert [mumu.split_of(n, 1) for n in names] != [mumu.split_of(n) for n in names]


@pytest.mark.parametrize(
    "colour, name", [((229, 0, 0), "red"), ((0, 0, 0), "black"), ((255, 255, 255), "white"), ((21, 176, 26), "green")]
)
def test_a_colour_has_the_surveys_name(colour, name):
    pixels = np.full((64, 64, 3), colour, np.uint8)
    pixels[:16] = 128
    assert mumu.colour_name(Image(pixels)) == name
    from spectrogrand.image.inks import colour_word

    colour_word(name)  # what a twin's painter understands


@pytest.mark.parametrize("words, said", [
    (["a.csv"], "which lists become which folder"),
    (["nowhere.csv", "{json}", "o"], "cannot be read"),
    (["{json}", "{json}", "o"], "no column 'amazon_id'|cannot be read"),
    (["{csv}", "{csv}", "o"], "cannot be read"),
    (["{csv}", "{json}", "o", "genre=Polka"], "no album of the genre 'Polka'; its genres are Dance & Electronic"),
    (["{csv}", "{json}", "o", "limit=many"], "whole numbers"),
    (["{csv}", "{json}", "o", "per_second=1000"], "polite"),
    (["{csv}", "{json}", "o", "cover=procedual_cover"], "procedural_cover"),
])  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(lists, tmp_path, monkeypatch, capsys, words, said):
    import re

    monkeypatch.chdir(tmp_path)
    words = ["cover=procedural_cover", *({"{csv}": str(lists[0]), "{json}": str(lists[1])}.get(w, w) for w in words)]
    words = words[1:] if words[-1].startswith("cover=") else words
    assert main(["prepare", "mumu", *words]) in (1, 2)
    error = capsys.readouterr().err
    assert re.search(said, error) and error.count("\n") == 1
    assert not (tmp_path / "o").exists()
