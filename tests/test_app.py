"""Behind the page: the queue, what forms accept, which files are served; no browser, no gradio where it is not needed."""

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from spectrogrand import Image, media
from spectrogrand.app import command, forms, jobs, tidying, views
from spectrogrand.app.jobs import Busy, Jobs
from spectrogrand.app.page import watch
from spectrogrand.app.server import local_origin, run_file, thumbnail
from spectrogrand.config import compose
from spectrogrand.errors import ConfigError, InvalidValue, SpectrograndError, StoreError, UnknownName
from spectrogrand.store import write_json


@pytest.fixture
def place(tmp_path):
    (tmp_path / "runs" / ".uploads").mkdir(parents=True)
    return forms.Place(tmp_path / "runs", tmp_path / "runs" / ".uploads")


@pytest.fixture
def queue(place):
    made = Jobs(place.output, most_waiting=25)
    yield made
    made.close()


def wait(job, seconds=120):
    begun = time.monotonic()
    while not job.over and time.monotonic() - begun < seconds:
        time.sleep(0.02)
    assert job.over, job
    return job


def uploaded(place, name="in.png"):
    path = place.uploads / "abc" / name
    path.parent.mkdir(exist_ok=True)
    media.save_image(path, Image(np.full((8, 8, 3), 90, np.uint8)))
    return path


# -- the queue ----------------------------------------------------------------------------------------------------------


def test_jobs_run_one_at_a_time_in_the_order_they_came(queue, monkeypatch):
    running, order, together = [], [], []

    def run(job):
        running.append(job)
        together.append(len(running))
        time.sleep(0.01)
        order.append(job.commands[0][0])
        running.remove(job)
        job.state = "finished"

    monkeypatch.setattr(queue, "_run", run)
    threads = [threading.Thread(target=queue.add, args=(lambda token, n=n: [[str(n)]],)) for n in range(20)]
    for thread in threads:
        thread.start()
        thread.join()
    for job in list(queue._known.values()):
        wait(job)
    assert order == [str(n) for n in range(20)] and max(together) == 1


def test_who_waits_is_told_how_many_are_ahead_and_too_many_are_sent_away(queue, monkeypatch):
    hold = threading.Event()
    monkeypatch.setattr(queue, "_run", lambda job: (hold.wait(60), setattr(job, "state", "finished")))
    first = queue.add(lambda token: [["a"]])
    while first.state == "waiting":
        time.sleep(0.01)
    others = [queue.add(lambda token: [["b"]]) for _ in range(25)]
    assert [queue.ahead(j) for j in others[:3]] == [1, 2, 3]
    assert "2 jobs are ahead of you" in views.progress(queue, others[1])
    with pytest.raises(Busy, match="try again"):
        queue.add(lambda token: [["c"]])
    queue.cancel(others[0].token)
    assert others[0].state == "cancelled" and queue.ahead(others[1]) == 1
    hold.set()
    for job in others:
        wait(job)


def test_a_failed_command_says_why_and_the_next_one_runs(queue):
    bad = queue.add(lambda token: [["run", "pipeline=nothing"]])
    good = queue.add(lambda token: [["--version"]])
    assert wait(bad).state == "failed" and "no choice 'nothing' for pipeline" in bad.error
    assert 'role="alert"' in views.ended(queue, bad) and "No choice" in views.ended(queue, bad)
    assert wait(good).state == "finished"


def test_an_upload_is_named_as_its_owner_named_it(queue, place):
    picture = place.uploads / "0a9ad6e55" / "my picture.png"
    picture.parent.mkdir()
    picture.write_text("no picture")
    job = wait(queue.add(lambda token: forms.picture_to_music(place, picture, 4, 1, 256, 0)))
    assert "'my picture.png' is no picture" in job.error and ".uploads" not in job.error


def test_cancel_ends_the_process_cleanly_and_the_record_says_so(queue, place):
    words = ["run", "topic=a long one", "song.duration=60", "songs=12", f"output={place.output}"]
    job = queue.add(lambda token: forms.with_token([words], token))
    begun = time.monotonic()
    while not queue.record(job) and time.monotonic() - begun < 120:
        time.sleep(0.05)
    assert job.folder is not None and "Making songs" in views.progress(queue, job)
    queue.cancel(job.token)
    assert job.state == "cancelled" and job.process.poll() is not None
    assert jobs.read(job.folder)["state"] == "interrupted" and (job.folder / "report.html").exists()
    assert "Cancelled" in views.ended(queue, job)
    assert [p.name for p in place.output.glob("*/.*")] == [".job"], (
        "nothing torn is left in the run, but its job's token"
    )


def test_what_the_end_of_a_process_means_is_said():
    assert "memory" in jobs._why(-9, []) and "smaller" in jobs._why(137, ["Killed"])
    assert jobs._why(1, ["noise", "spectrogrand: no song can be used"]) == "no song can be used"
    assert "defect" in jobs._why(1, ["Traceback", "KeyError: 'a'"])
    notice = "spectrogrand: going on after 3 finished parts"
    assert "memory" in jobs._why(-9, [notice]), "a notice is no reason"
    assert "KeyError" in jobs._why(1, [notice, "Traceback (most recent call last):", "KeyError: 'a'"])


# -- forms --------------------------------------------------------------------------------------------------------------


def test_forms_become_words_that_compose(place):
    song = uploaded(place, "a song, (mix).png")
    for words in (
        forms.text_to_video(place, "${oc.env:HOME}, 'x' [a]", 10, 4, 4, 512, 0),
        forms.song_to_video(place, song, "", 2, 256, 7),
        forms.song_to_cover(place, song, "Blue, Train", "", "jazz", 3, 0, 1),
        forms.song_to_cover(place, song, "Blue, Train", "", "jazz", 3, 256, 1),
        forms.picture_to_music(place, song, 4, 1, 256, 3),
    ):
        config = compose(forms.with_token(words, "job12")[-1][1:])
        assert config["job"] == "job12" and config["output"] == str(place.output)
    assert compose(forms.text_to_video(place, "${oc.env:HOME}", 10, 4, 4, 512, 0)[0][1:])["topic"] == "${oc.env:HOME}"
    config = compose(forms.song_to_video(place, song, "", 2, 256, 7)[0][1:])
    assert (config["song"]["path"], config["covers"], config["size"], config["seed"]) == (str(song), 2, 256, 7)


def test_settings_of_the_page_go_to_the_pipelines_that_take_them(place, tmp_path):
    words = command.sorted_out(["captioner=blip", "captioner.beams=2", "videos=[static]", "song.tempo=125", "size=64"])
    assert words["image_to_music"][:2] == ("captioner=blip", "captioner.beams=2") and "audiovisual" in words
    assert not any(w.startswith(("captioner", "videos")) for w in words["album_cover"])
    own = forms.Place(place.output, place.uploads, None, words)
    song = uploaded(place, "a.png")
    config = compose(forms.song_to_video(own, song, "", 2, 256, 7)[0][1:])
    assert (config["videos"], config["size"], config["song"]["name"]) == (["static"], 256, "song_file"), (
        "the form counts"
    )
    config = compose(forms.text_to_video(own, "a", 10, 1, 1, 256, 0)[0][1:])
    assert config["song"]["tempo"] == 125


def test_uploads_that_a_killed_page_left_behind_go_after_a_day(place):
    old, new = uploaded(place, "old.wav"), uploaded(place, "new.wav")
    os.utime(old, (time.time() - 90_000,) * 2)
    command.prepare({"output": str(place.output)})
    assert not old.exists() and new.exists()


def an_index(place, name, days_ago, size=1000):
    folder = place.output / ".indexes" / name
    folder.mkdir(parents=True)
    (folder / "vectors.safetensors").write_bytes(bytes(size))
    os.utime(folder, (time.time() - 86_400 * days_ago,) * 2)
    return folder


def test_indexes_are_bounded_in_age_number_and_size(place, monkeypatch):
    indexes = place.output / ".indexes"
    old, new = an_index(place, "old", 31), an_index(place, "new", 29)
    command.prepare({"output": str(place.output)})
    assert not old.exists() and new.exists(), "unused for a month"
    many = [an_index(place, f"{n:02}", n / 100) for n in range(25)]
    tidying.sweep_indexes(indexes, needed=new)
    assert sorted(indexes.iterdir()) == [*many[:19], new], "the 20 used last, and the one that is needed"
    monkeypatch.setattr(tidying, "MOST_BYTES", 3500)
    tidying.sweep_indexes(indexes)
    assert sorted(indexes.iterdir()) == many[:3], "3,500 bytes together"
    outside = place.output / "a-run"
    outside.mkdir()
    (indexes / "link").symlink_to(outside)
    tidying.sweep_indexes(indexes)
    assert outside.exists()


def test_a_job_with_an_index_sweeps_first_and_keeps_its_own(place, queue):
    old, own = an_index(place, "old", 40), an_index(place, "own", 50)
    wait(queue.add(lambda token: [["index", "no table.csv", str(own)]]))
    assert not old.exists() and own.exists()


def test_songs_are_looked_for_in_the_pages_index_or_in_an_uploaded_table(place, tmp_path):
    spans = [(0, 1)] * 4
    with pytest.raises(InvalidValue, match="table of lyrics"):
        forms.picture_to_songs(place, None, "rain", None, "best_lines", spans)
    with pytest.raises(InvalidValue, match="remove the picture, or clear the words"):
        forms.picture_to_songs(place, uploaded(place, "a.png"), "rain", None, "best_lines", spans)
    table = uploaded(place, "lyrics.csv")
    first, second = forms.picture_to_songs(place, None, "rain", table, "published", [(0.5, 1), *spans[1:]])
    assert (
        first[:2] == ["index", str(table)]
        and f"index={first[2]}" in second
        and Path(first[2]).is_relative_to(place.output)
    )
    config = compose(second[1:])
    assert config["ranking"] == "published" and config["filters"]["energy"] == [0.5, 1]
    model = command.sorted_out(["embedder=multilingual"])
    other = forms.picture_to_songs(
        forms.Place(place.output, place.uploads, None, model), None, "rain", table, "", spans
    )
    assert "embedder=multilingual" in other[0] and "embedder=multilingual" in other[1], (
        "one model makes and asks the index"
    )
    assert other[0][2] != first[2], "an index of another model is another index"
    own = forms.Place(place.output, place.uploads, tmp_path / "ix")
    assert f"index={tmp_path / 'ix'}" in forms.picture_to_songs(own, None, "rain", None, "best_lines", spans)[0]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../etc/passwd", "", None, "{uploads}/../run.json", "{uploads}", "{link}"]
)
def test_files_are_taken_from_the_uploads_only(place, path):
    (place.output / "run.json").write_text("{}")
    (place.uploads / "link").symlink_to("/etc/passwd")
    path = path and path.replace("{uploads}", str(place.uploads)).replace("{link}", str(place.uploads / "link"))
    with pytest.raises(InvalidValue, match="choose a picture|upload it again"):
        forms.picture_to_music(place, path, 4, 1, 256, 0)


@pytest.mark.parametrize(
    "values",
    [
        ("", 10, 4, 4, 512, 0), ("a" * 501, 10, 4, 4, 512, 0), ("a", 1e9, 4, 4, 512, 0), ("a", 10, 0, 4, 512, 0),
        ("a", None, 4, 4, 512, 0), ("a", 10, 4, 999, 512, 0), ("a", 10, 4, 4, 10**9, 0), ("a", 10, 4, 4, "x", 0),
        ("a", 10, 4, 4, 512, -1), (None, 10, 4, 4, 512, 0),
    ],
)  # fmt: skip
def test_values_that_no_form_sends_are_refused(place, values, queue):
    with pytest.raises(SpectrograndError):
        forms.text_to_video(place, *values)
    shown = list(watch(place, queue, forms.text_to_video, values))
    assert len(shown) == 1 and 'role="alert"' in shown[0][0] and not shown[0][1]


# -- files of runs ------------------------------------------------------------------------------------------------------


def test_only_files_of_runs_are_served(place):
    run = place.output / "a-run"
    (run / "covers").mkdir(parents=True)
    (run / ".secret.png").write_bytes(b"x")
    for name in ("run.json", "report.html", "weights.safetensors"):
        (run / name).write_text("{}")
    media.save_image(run / "covers" / "0.png", Image(np.zeros((600, 900, 3), np.uint8)))
    (place.output / "plain").mkdir()
    (place.output / "plain" / "a.png").write_bytes(b"x")
    (run / "link.png").symlink_to(place.output / "plain" / "a.png")
    assert run_file(place.output, "a-run", "covers/0.png") == (run / "covers" / "0.png").resolve()
    for name, file in (
        ("a-run", "../plain/a.png"), ("a-run", ".secret.png"), ("a-run", "link.png"), ("a-run", "weights.safetensors"),
        ("plain", "a.png"),
        ("..", "run.json"), (".", "a-run/run.json"), ("", "run.json"), (".uploads", "x.png"), ("a-run/../a-run", "run.json"),
        ("a-run", "/etc/passwd"), ("a-run", "\0.png"), ("a-run", "covers"), ("a-run", "nothing.png"),
    ):  # fmt: skip
        assert run_file(place.output, name, file) is None, (name, file)
    small = thumbnail(place.output, "a-run")
    assert small is not None and small[:3] == b"\xff\xd8\xff" and len(small) < 50_000
    assert thumbnail(place.output, "plain") is None


def test_text_of_records_never_becomes_markup(place):
    evil = '<img src=x onerror="alert(1)">'
    for state in ("finished", "failed", "running"):
        run = place.output / f"evil-{state}"
        run.mkdir()
        choices = {"song": {"candidates": [{"index": 0, "failed": evil}], "why": evil, "scorers": {}}}
        write_json(
            run / "run.json",
            {
                "topic": evil,
                "state": state,
                "error": evil,
                "warnings": [evil],
                "caption": {"text": evil},
                "choices": choices,
            },
        )
    for page in (
        views.gallery(place.output),
        views.run_card(place.output / "evil-finished"),
        views.message(evil, evil, bad=True),
    ):
        assert "<img src=x" not in page and "&lt;img" in page


def test_an_empty_gallery_says_so_and_torn_records_are_left_out(place):
    assert "Nothing made yet" in views.gallery(place.output)
    (place.output / "torn").mkdir()
    (place.output / "torn" / "run.json").write_text("{")
    assert "Nothing made yet" in views.gallery(place.output)


def test_stages_follow_the_configuration():
    chosen = views._stages({"pipeline": "audiovisual", "videos": ["static"]})
    assert [slot for slot, _ in chosen if "video" in slot] == ["static video"]
    assert [slot for slot, _ in views._stages({"pipeline": "recommendation", "picture": None})] == ["search"]
    heard, told = (views._stages({"pipeline": "album_cover", "genres": genres}) for genres in (None, "jazz"))
    assert set(heard) - set(told) == {("genre", "Naming the genre")} and len(told) == len(heard) - 1
    for song in ("file", {"name": "song_file"}):
        assert views._stages({"pipeline": "audiovisual", "song": song})[0] == ("song", "Reading your song")
    assert views._stages({"pipeline": "audiovisual", "song": {"name": "house_synth"}})[0] == ("song", "Making songs")


def test_the_index_of_a_table_is_a_stage_of_its_own(queue, place):
    job = jobs.Job([["index", "a.csv", "ix"], ["run", "pipeline=recommendation", "topic=rain"]], "job1", "running")
    shown = views.progress(queue, job)
    assert '<p class="sg-now" role="status">Indexing your lyrics …' in shown and 'class="sg-doing">Indexing' in shown
    assert '<li class="">Searching the lyrics' in shown
    job.folder = place.output / "rain"
    job.folder.mkdir()
    write_json(job.folder / "run.json", {"config": {"pipeline": "recommendation"}, "steps": []})
    shown = views.progress(queue, job)
    assert 'class="sg-done">Indexing' in shown and 'class="sg-doing">Searching' in shown


def test_the_visitors_own_song_is_no_list_of_candidates(place):
    run = place.output / "mine"
    run.mkdir()
    one = {"candidates": [{"index": 0, "scores": {}}], "why": "it is your own", "chosen": 0, "scorers": {}}
    write_json(run / "run.json", {"topic": "a", "state": "finished", "choices": {"song": one | {"rule": "given"}}})
    assert "1 song candidate" not in views.run_card(run) + views.gallery(place.output)
    write_json(run / "run.json", {"topic": "a", "state": "finished", "choices": {"song": one | {"rule": "quantile"}}})
    assert "1 song candidate" in views.run_card(run) and "1 song candidate" in views.gallery(place.output)


# -- the server ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    pytest.importorskip("gradio")
    from fastapi.testclient import TestClient

    from spectrogrand.app.page import build
    from spectrogrand.app.server import serve

    output = tmp_path_factory.mktemp("runs")
    place = command.prepare({"output": str(output)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(place.uploads))
        patch.setattr("spectrogrand.app.server.LARGEST_UPLOAD", "2mb")
        made = Jobs(output)
        page, look = build(place, made)
        (output / "a-run").mkdir()
        (output / "a-run" / "run.json").write_text("{}")
        with TestClient(serve(place, page, **look), base_url="http://127.0.0.1") as served:
            served.place = place
            yield served
        made.close()


def test_the_page_loads_nothing_from_elsewhere(client):
    answer = client.get("/")
    assert answer.status_code == 200 and "default-src 'self'" in answer.headers["content-security-policy"]
    assert "fonts.googleapis" not in answer.text and "cdnjs" not in answer.text


def test_runs_are_served_and_nothing_beside_them(client):
    assert client.get("/runs/a-run/run.json").status_code == 200
    assert "default-src 'none'" in client.get("/runs/a-run/run.json").headers["content-security-policy"]
    for path in (
        "/runs/../run.json",
        "/runs/%2e%2e/run.json",
        "/runs/a-run/%2e%2e/%2e%2e/etc/passwd",
        "/runs/a-run/..%2f..%2fx.png",
        "/thumbs/..jpg",
    ):
        assert client.get(path).status_code == 404, path
    assert client.get("/gradio_api/file=/etc/passwd").status_code in (403, 404)


def test_other_sites_and_other_names_are_turned_away(client):
    assert client.post("/gradio_api/upload", headers={"origin": "https://example.org"}).status_code == 403
    assert client.get("/", headers={"host": "evil.example.org"}).status_code == 400
    assert (
        local_origin("http://localhost:7860")
        and not local_origin("https://127.0.0.1.example.org")
        and not local_origin("http://[")
    )


def test_twenty_uploads_at_once_stay_apart_and_inside(client):
    answers = {}

    def send(n):
        name = ["../../evil.png", "..\\evil.png", "/etc/cron.d/evil", "a" * 200 + ".png", "in.png"][n % 5]
        answers[n] = client.post("/gradio_api/upload", files={"files": (name, bytes([n]) * 100)})

    threads = [threading.Thread(target=send, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    paths = {n: Path(a.json()[0]) for n, a in answers.items()}
    assert len(set(paths.values())) == 20
    for n, path in paths.items():
        assert client.place.upload(path, "a file").read_bytes() == bytes([n]) * 100
    assert not list(client.place.output.rglob("evil*")) or all(
        p.is_relative_to(client.place.uploads) for p in client.place.output.rglob("evil*")
    )


def test_an_upload_over_the_limit_is_refused_and_leaves_nothing(client):
    before = set(client.place.uploads.rglob("*"))
    answer = client.post("/gradio_api/upload", files={"files": ("large.wav", bytes(3_000_000))})
    assert answer.status_code == 413
    assert not [
        p for p in set(client.place.uploads.rglob("*")) - before if p.is_file() and p.stat().st_size > 2_000_000
    ]


def test_the_command_checks_what_it_is_given(tmp_path):
    for words, error, text in (
        (["7861"], UnknownName, "settings such as port"),
        (["port=80"], ConfigError, "from 1024"),
        ([f"output={tmp_path}", "sise=3"], UnknownName, "no setting 'sise'"),
        ([f"output={tmp_path}", f"index={tmp_path}"], StoreError, "no index of lyrics"),
    ):
        with pytest.raises(error, match=text):
            command.main(words)
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StoreError, match="is taken"):
            command.main([f"port={taken.getsockname()[1]}", f"output={tmp_path}"])


def test_a_visitor_has_a_few_jobs_and_cancels_only_these(place):
    held = jobs.Jobs(place.output)
    try:
        mine = [held.add(lambda token: [["--version"]] * 50, "ana") for _ in range(jobs.MOST_OF_ONE)]
        with pytest.raises(jobs.Busy, match="3 jobs waiting or running already"):
            held.add(lambda token: [["--version"]], "ana")
        other = held.add(lambda token: [["--version"]], "bo")
        held.cancel(other.token, "ana")
        assert not other.over or other.state == "finished"
        held.cancel(mine[-1].token, "ana")
        assert mine[-1].state == "cancelled" and len(mine[-1].token) >= 32
        assert held.clear() >= 2 and mine[1].state == "cancelled"
    finally:
        held.close()


def test_jobs_read_strangers_files_within_smaller_limits(place):
    import subprocess
    import sys

    from spectrogrand.media.limits import LOW, TRUST, Limits

    assert LOW.pixels < Limits().pixels and LOW.bytes < Limits().bytes
    code = "from spectrogrand.media import LIMITS; print(LIMITS.pixels)"
    told = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, TRUST: "low"}, capture_output=True, check=True
    )
    assert int(told.stdout) == LOW.pixels


def test_all_uploads_together_are_bounded(place):
    from spectrogrand.app.tidying import fit_uploads
    from spectrogrand.errors import InvalidValue

    place.uploads.mkdir(parents=True, exist_ok=True)
    (place.uploads / "new").write_bytes(bytes(80))
    (place.uploads / "old").write_bytes(bytes(80))
    os.utime(place.uploads / "old", (1, 1))
    fit_uploads(place.uploads, 100)
    assert [p.name for p in place.uploads.iterdir()] == ["new"], "what is older than a day went"
    with pytest.raises(InvalidValue, match="as many uploads as it may"):
        fit_uploads(place.uploads, 50)


def test_planted_covers_are_not_decoded_by_the_page(place):
    """A PNG of 9,000 x 9,000 pixels is 80 kB on disk and 243 MB decoded."""
    from PIL import Image as Pillow

    from spectrogrand.app.server import thumbnail

    folder = place.output / "planted"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    Pillow.new("RGB", (9000, 9000)).save(folder / "cover.png")
    assert thumbnail(place.output, "planted") is None
    Pillow.new("RGB", (512, 512)).save(folder / "cover.png")
    assert thumbnail(place.output, "planted")[:2] == b"\xff\xd8"


def test_only_the_owner_clears_the_queue(place):
    pytest.importorskip("gradio")
    import gradio
    from fastapi.testclient import TestClient

    from spectrogrand.app.server import serve

    with gradio.Blocks() as blocks:
        gradio.HTML("x")

    class Queue:
        def clear(self):
            return 4

    client = TestClient(serve(place, blocks, Queue(), "the key"))
    assert client.post("/clear").status_code == client.post("/clear", headers={"x-owner-key": "no"}).status_code == 403
    assert client.post("/clear", headers={"x-owner-key": "the key"}).text == "4 waiting jobs cancelled"
