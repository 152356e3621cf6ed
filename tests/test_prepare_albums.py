"""Albums from tables, folders, encyclopaedia pages and catalogues: bad tables, polite asking, a recorded server."""

import csv
import http.server
import json
import threading
import urllib.parse

import numpy as np
import pytest

from spectrogrand import Audio, Image, media
from spectrogrand.__main__ import main
from spectrogrand.albums.table import AlbumTable
from spectrogrand.errors import ConfigError, InvalidValue, MediaError
from spectrogrand.preparing.albums import prepare
from spectrogrand.preparing.polite import Gone, Polite, Queue
from spectrogrand.preparing.wikipedia import album_rows

HEADER = "artist,song_name,genres,album_name,song_id,album_id,genres_list,singular_genre,Top Emotions,popularity"


def table(folder, text, name="albums.csv", encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def test_the_published_columns_are_read_whatever_their_order_case_and_line_ends(tmp_path):
    line = 'Björk,"Hyper, Ballad","art pop",Post,s1,a1,"[\'Art pop\', \'Trip hop\']",pop,"Joy, Awe",1200'
    row = next(iter(AlbumTable(table(tmp_path, f"\ufeff{HEADER}\r\n{line}\r\n"))))
    assert (row.artist, row.song, row.album, row.song_id, row.album_id) == (
        "Björk",
        "Hyper, Ballad",
        "Post",
        "s1",
        "a1",
    )
    assert (
        row.tags == ("art pop", "trip hop")
        and row.genre == "pop"
        and row.emotions == ("joy", "awe")
        and row.popularity == 1200
    )
    turned = next(iter(AlbumTable(table(tmp_path, "Song_ID, ALBUM_NAME ,Artist,colour\n7,X,Y,red\n"))))
    assert (turned.song_id, turned.album, turned.artist, turned.popularity) == ("7", "X", "Y", None)


@pytest.mark.parametrize("text, said", [
    ("", "is empty"), ("  \n\n", "is empty"), ("a,b\n1,2\n", "has no column artist, album_name, song_id"),
    ("\0\0PK\3\4", "no text"),
    ("Björk,Post,1\n", "has no column"),
])  # fmt: skip
def test_tables_that_are_none_are_refused_in_one_line(tmp_path, text, said):
    with pytest.raises(InvalidValue, match=said) as error:
        list(AlbumTable(table(tmp_path, text)))
    assert "\n" not in str(error.value)
    with pytest.raises(InvalidValue, match="there is no table"):
        AlbumTable(tmp_path / "nowhere.csv")


def test_rows_that_cannot_be_used_are_counted_and_the_rest_is_kept(tmp_path):
    rows = [
        "A,s,,B,1,,,,,",
        "A,s,,B,1,,,,,",
        ",s,,B,2,,,,,",
        "A,s,,,3,,,,,",
        "A,s,,B,,,,,,",
        "A,s",
        "",
        'C,"s",,D,9,,,,,nan',
        "E" * 70000 + ",s,,B,5,,,,,",
    ]
    read = AlbumTable(table(tmp_path, "\n".join([HEADER, *rows])))
    kept = list(read)
    assert [r.song_id for r in kept] == ["1", "9"] and kept[1].popularity is None
    assert read.skipped["a song id seen before"] == read.skipped["no artist"] == read.skipped["no album"] == 1
    assert read.skipped["no song id"] == read.skipped["another number of cells than the header"] == 1
    assert sum(read.skipped.values()) == 6 and list(read) == kept, "walked twice, the same rows"


def test_tables_in_windows_1252_are_read_and_a_quote_that_never_closes_does_not_swallow_memory(tmp_path):
    old = AlbumTable(table(tmp_path, f"{HEADER}\nBj\xf6rk,s,,Post,1,,,,,\n", encoding="cp1252"))
    assert old.encoding == "cp1252" and next(iter(old)).artist == "Björk"
    broken = AlbumTable(table(tmp_path, HEADER + '\n"A,s,,B,1,,,,,\n' + "x" * 200_000 + "\nC,s,,D,2,,,,,\n"))
    assert all(len(r.artist) < 1 << 16 for r in broken) and sum(broken.skipped.values()) >= 1


def test_a_huge_table_is_streamed(tmp_path):
    import tracemalloc

    with open(tmp_path / "huge.csv", "w") as file:
        file.write(HEADER + "\n")
        for i in range(30_000):
            file.write(f"artist {i % 900},song,,album,{i},,,,,\n")
    tracemalloc.start()
    count = sum(1 for _ in AlbumTable(tmp_path / "huge.csv"))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 30_000 and most < 10e6, "only the ids are kept"


@pytest.fixture
def library(tmp_path):
    """A table of 40 songs by 20 artists, with covers and clips for most."""
    rng = np.random.default_rng(0)
    for name in ("covers", "clips"):
        (tmp_path / name).mkdir()
    lines = []
    for i in range(40):
        lines.append(f"Artist {i // 2},song {i},deep house,Album {i},s{i},a{i},,,{'awe' if i == 0 else ''},")
        media.save_image(tmp_path / f"covers/a{i}.png", Image(rng.integers(0, 255, (80, 80, 3), np.uint8)))
        if i != 5:
            media.save_audio(
                tmp_path / f"clips/s{i}.wav", Audio(rng.normal(0, 0.1, (1, 8000)).astype(np.float32), 8000)
            )
    (tmp_path / "covers/a6.png").write_bytes(b"no picture")
    table(tmp_path, "\n".join([HEADER, *lines]))
    return tmp_path


def test_albums_are_split_by_artist_and_what_is_missing_is_counted(library):
    counts = prepare(library / "albums.csv", library / "covers", library / "clips", library / "out", share=0.4)
    rows = list(AlbumTable(library / "out/albums.csv"))
    assert counts["left out: no clip"] == counts["left out: a cover or clip that does not decode"] == 1
    assert len(rows) == 38 == counts["for train"] + counts["for test"] and counts["for test"] > 4
    by_split = {s: {r.artist for r in rows if r.split == s} for s in ("train", "test")}
    assert not by_split["train"] & by_split["test"]
    assert all((library / "out" / r.cover).is_file() and (library / "out" / r.clip).is_file() for r in rows)
    assert rows[0].emotions == ("awe",) and len(rows[1].emotions) == 3 and rows[0].genre == "electronic"


def test_more_rows_move_no_artist_to_the_other_split(library):
    prepare(library / "albums.csv", library / "covers", library / "clips", library / "out", share=0.4, emotions=False)
    before = {r.artist: r.split for r in AlbumTable(library / "out/albums.csv")}
    lines = (library / "albums.csv").read_text().splitlines()
    (library / "few.csv").write_text("\n".join([lines[0], *lines[-20:]]))
    prepare(library / "few.csv", library / "covers", library / "clips", library / "few", share=0.4, emotions=False)
    assert all(before[r.artist] == r.split for r in AlbumTable(library / "few/albums.csv"))


def test_a_library_where_nothing_fits_says_why(library, capsys):
    (library / "none").mkdir()
    assert main(["prepare", "albums", *(str(library / p) for p in ("albums.csv", "none", "clips", "out"))]) == 1
    said = capsys.readouterr().err
    assert "40 with no cover" in said and said.count("\n") == 1


# The recorded server.


class Server(http.server.ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.answers = [], {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.server.seen.append((path, dict(urllib.parse.parse_qsl(query)), dict(self.headers)))
        answers = self.server.answers.get(path, [(404, "", {})])
        code, text, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = Server()
    yield made
    made.shutdown()
    made.server_close()


class Clock:
    """A clock that sleeping moves."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def polite(**more):
    clock = Clock()
    return Polite(sleep=clock.sleep, clock=clock, **{"robots": False, **more}), clock


def test_requests_keep_their_distance_and_failures_are_tried_again_after_what_the_server_asks(server):
    server.answers["/a"] = [(503, "", {"Retry-After": "7"}), (500, "", {}), (200, "yes", {})]
    asks, clock = polite(per_second=0.5)
    assert asks.get(server.base + "/a") == "yes" and asks.get(server.base + "/a") == "yes"
    assert clock.slept == [7.0, 2.0, 2.0] and len(server.seen) == 4
    assert "spectrogrand" in server.seen[0][2]["User-Agent"]
    server.answers["/b"] = [(503, "", {})]
    with pytest.raises(MediaError, match="answered 503, 3 times: run it again later"):
        polite(tries=3)[0].get(server.base + "/b")


def test_what_is_gone_is_asked_once_and_no_message_shows_a_key(server):
    server.answers["/k"] = [(401, "", {})]
    for path, said in (("/none?api_key=secret", "answered 404"), ("/k?api_key=secret", "key is wrong")):
        with pytest.raises(Gone, match=said) as error:
            polite()[0].get(server.base + path)
        assert "secret" not in str(error.value)
    assert len(server.seen) == 2
    with pytest.raises(Gone, match="no http address"):
        polite()[0].get("file:///etc/passwd")


def test_robots_txt_is_obeyed(server):
    server.answers["/robots.txt"] = [(200, "User-agent: *\nDisallow: /private\nCrawl-delay: 5\n", {})]
    server.answers["/open"] = server.answers["/private/x"] = [(200, "text", {})]
    asks, clock = polite(robots=True)
    assert asks.get(server.base + "/open") == "text" and clock.slept == [5.0]
    with pytest.raises(Gone, match="forbids programs to read /private/x"):
        asks.get(server.base + "/private/x")
    assert [s[0] for s in server.seen] == ["/robots.txt", "/open"]
    server.answers["/robots.txt"] = [(500, "", {})]
    with pytest.raises(Gone, match="forbids"):
        polite(robots=True)[0].get(server.base + "/open")
    server.answers["/robots.txt"] = [(404, "", {})]
    assert polite(robots=True)[0].get(server.base + "/open") == "text"


def test_a_queue_survives_a_kill_in_the_middle_of_a_line(tmp_path):
    queue = Queue(tmp_path / "q.jsonl")
    queue.add("a", 1)
    queue.add("b", {"x": "ö"})
    with open(tmp_path / "q.jsonl", "a") as file:
        file.write('{"key": "c", "ans')
    again = Queue(tmp_path / "q.jsonl")
    assert again.done == {"a": 1, "b": {"x": "ö"}}
    again.add("c", 3)
    assert Queue(tmp_path / "q.jsonl").done["c"] == 3


NEW = """<table class="wikitable"><tr><th>Release date</th><th>Artist</th><th>Album</th><th>Genre</th><th>Label</th></tr>
<tr><th rowspan="3">January<br>4</th><td>Pet &amp; Co</td><td><i>One</i><sup>[1]</sup></td><td>Synth-pop<br>dance</td>
<td>X</td></tr><tr><td rowspan="2">Two Hands</td><td><i>Early</i></td><td>Folk rock</td><td>Y</td></tr>
<tr><td><i>Late</i>[12]</td><td></td><td>Z</td></tr></table>"""
OLD = """<table><tbody><tr><td><b>Title</b></td><td><b>Performer(s)</b></td></tr><tr><td>Kilimanjaro</td><td>The Drops</td></tr>
<tr><td></td><td>Nobody</td></tr></table><table><tr><th>Artist</th><th>Wins</th></tr><tr><td>A</td><td>3</td></tr></table>"""


def test_album_tables_of_newer_and_older_pages():
    assert album_rows(NEW) == [
        ("Pet & Co", "One", "Synth-pop, dance"), ("Two Hands", "Early", "Folk rock"), ("Two Hands", "Late", ""),
    ]  # fmt: skip
    assert album_rows(OLD) == [("The Drops", "Kilimanjaro", "")]
    assert album_rows("<p>none</p>") == album_rows("<table><tr><td rowspan=99999999999>x") == []


def test_pages_become_a_table_once_and_are_not_asked_again(server, tmp_path, capsys):
    server.answers["/wiki/List_of_2019_albums"] = [(200, NEW, {})]
    server.answers["/wiki/Old"] = [(200, OLD, {})]
    words = [
        "prepare",
        "wikipedia",
        str(tmp_path / "w.csv"),
        "List of 2019 albums",
        "Old",
        "Missing",
        f"site={server.base}",
        "per_second=20",
    ]
    assert main(words) == 0 and main(words) == 0
    assert sorted(s[0] for s in server.seen) == [
        "/robots.txt",
        "/wiki/List_of_2019_albums",
        "/wiki/Missing",
        "/wiki/Old",
    ]
    rows = list(AlbumTable(tmp_path / "w.csv"))
    assert [(r.artist, r.album, r.genre) for r in rows][:2] == [
        ("Pet & Co", "One", "pop"),
        ("Two Hands", "Early", "rock"),
    ]
    assert len(rows) == 4 and "'Missing' holds no album table" in capsys.readouterr().err
    server.answers["/robots.txt"] = [(200, "User-agent: *\nDisallow: /wiki/\n", {})]
    assert main(["prepare", "wikipedia", str(tmp_path / "x.csv"), "Old", f"site={server.base}"]) == 1


LASTFM = {"album": {"listeners": "1234", "tags": {"tag": [{"name": "Synthpop"}, {"name": "electronic"}]}}}
DISCOGS = {"results": [{"style": ["Deep House"], "genre": ["Electronic"], "community": {"have": 77}}]}


@pytest.mark.parametrize("provider, variable, path, answer, popularity, genre", [
    ("lastfm", "LASTFM_API_KEY", "/2.0/", LASTFM, 1234, "pop"),
    ("discogs", "DISCOGS_TOKEN", "/database/search", DISCOGS, 77, "electronic"),
])  # fmt: skip
def test_a_catalogue_fills_in_what_is_missing_with_the_users_own_key(
    provider, variable, path, answer, popularity, genre, server, tmp_path, monkeypatch, capsys
):
    lines = ["A,s,,B,1,,,,,", "C,s,jazz,D,2,,,,,9"]
    source = table(tmp_path, "\n".join([HEADER, *lines]))
    words = [
        "prepare",
        "catalogue",
        str(source),
        str(tmp_path / "out.csv"),
        f"provider={provider}",
        f"base={server.base}",
        "per_second=20",
    ]
    monkeypatch.delenv(variable, raising=False)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert variable in said and said.count("\n") == 1 and not server.seen
    monkeypatch.setenv(variable, "my-secret")
    server.answers[path] = [(200, json.dumps(answer), {}), (503, "", {}), (200, "{}", {})]
    assert main(words) == 0
    first, second = AlbumTable(tmp_path / "out.csv")
    assert first.genre == genre and first.popularity == popularity and len(first.tags) == 2
    assert second.genre == "jazz" and second.popularity == 9, "what the table says stays"
    asked = server.seen[0]
    assert (
        "my-secret" in (asked[1].get("api_key", "") + asked[2].get("Authorization", "")) and asked[1]["artist"] == "A"
    )
    assert main(words) == 0 and len(server.seen) == 3, "nothing is asked twice"
    assert not any("my-secret" in f.read_text() for f in tmp_path.iterdir() if f.is_file())


def test_a_killed_collection_goes_on_and_a_refused_key_stops_it(server, tmp_path, monkeypatch, capsys):
    source = table(tmp_path, "\n".join([HEADER, *(f"A{i},s,,B,{i},,,,," for i in range(4))]))
    words = [
        "prepare",
        "catalogue",
        str(source),
        str(tmp_path / "out.csv"),
        "provider=lastfm",
        f"base={server.base}",
        "per_second=20",
    ]
    monkeypatch.setenv("LASTFM_API_KEY", "k")
    server.answers["/2.0/"] = [(200, json.dumps(LASTFM), {}), (200, json.dumps(LASTFM), {}), (403, "", {})]
    assert main(words) == 1 and "key is wrong" in capsys.readouterr().err and not (tmp_path / "out.csv").exists()
    server.answers["/2.0/"] = [(200, json.dumps(LASTFM), {})]
    server.seen.clear()
    assert main(words) == 0 and [s[1]["artist"] for s in server.seen] == ["A2", "A3"]


def test_wrong_words_are_one_line(tmp_path, capsys):
    for words, said in (
        (["albums", "a.csv"], "two folders"), (["catalogue", "a", "b"], "a provider"),
        (["catalogue", "a", "b", "provider=spotify"], "no catalogue"),
        (["wikipedia", "o.csv"], "no page is named"), (["albums", "a", "b", "c", "d", "test=2"], "share of the artists"),
    ):  # fmt: skip
        assert main(["prepare", *words]) == 2
        got = capsys.readouterr().err
        assert said in got and got.count("\n") == 1


def test_polite_has_bounds():
    with pytest.raises(ConfigError, match="up to 20 requests"):
        Polite(per_second=50)


def test_written_tables_are_read_by_anyone(library):
    prepare(library / "albums.csv", library / "covers", library / "clips", library / "out", emotions=False)
    with open(library / "out/albums.csv", newline="") as file:
        header = next(csv.reader(file))
    assert header[:10] == HEADER.split(",") and header[10:] == ["split", "cover", "clip"]
