"""Fetching against a server on this machine: resumed, checked, converted, unpacked, written down; and what it says offline."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from spectrogrand.__main__ import main
from spectrogrand.errors import InvalidValue, MissingExtra
from spectrogrand.interfaces import Weights
from spectrogrand.weights import download as downloads
from spectrogrand.weights import fetch as fetching
from spectrogrand.weights import files as weights
from spectrogrand.weights.sources import Url

BODY = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves `server.files`; breaks a file off after `server.breaks[path]` bytes, once; notes every request."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        path, wanted = self.path.split("?")[0], self.headers.get("Range")
        self.server.seen.append((self.command, path, wanted))
        if path not in self.server.files:
            self.send_response(404)
            for key, value in self.server.headers.get(path, {}).items():
                self.send_header(key, value)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data, headers = self.server.files[path], self.server.headers.get(path, {})
        start = int(re.fullmatch(r"bytes=(\d+)-.*", wanted)[1]) if wanted and self.server.ranges else 0
        if start > len(data):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if body:
            stop = self.server.breaks.pop(path, None)
            self.wfile.write(data[start:stop])
            if stop is not None:
                self.close_connection = True

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.files, made.headers, made.breaks, made.seen, made.ranges = {"/a.bin": BODY}, {}, {}, [], True
    made.url = f"http://127.0.0.1:{made.server_address[1]}"
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def gets(server):
    return [wanted for command, _, wanted in server.seen if command == "GET"]


# -- one file ----------------------------------------------------------------------------------------------------------


def test_a_whole_file(server, tmp_path):
    got = downloads.fetch_file(f"{server.url}/a.bin", tmp_path / "deep" / "a.bin", sha256=SHA256)
    assert got.read_bytes() == BODY and [p.name for p in got.parent.iterdir()] == ["a.bin"]


def test_broken_off_half_way_and_resumed(server, tmp_path):
    server.breaks["/a.bin"] = 120_000
    with pytest.raises(
        MissingExtra, match=r"the download of a.bin broke off at 0.1 of 0.3 MB .*run the same command again"
    ):
        downloads.fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", sha256=SHA256)
    assert not (tmp_path / "a.bin").exists() and (tmp_path / "a.bin.part").stat().st_size == 120_000
    downloads.fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", sha256=SHA256)
    assert gets(server) == [None, "bytes=120000-"] and (tmp_path / "a.bin").read_bytes() == BODY


def test_a_server_that_cannot_resume_starts_again(server, tmp_path):
    server.ranges = False
    (tmp_path / "a.bin.part").write_bytes(b"something else")
    downloads.fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", sha256=SHA256)
    assert (tmp_path / "a.bin").read_bytes() == BODY


def test_a_part_longer_than_the_file_starts_again(server, tmp_path):
    (tmp_path / "a.bin.part").write_bytes(BODY * 2)
    downloads.fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", sha256=SHA256)
    assert (tmp_path / "a.bin").read_bytes() == BODY


def test_a_wrong_sha256_is_named_and_thrown_away(server, tmp_path):
    with pytest.raises(InvalidValue, match=f"sha256 {SHA256}, not {'0' * 64}: it was thrown away"):
        downloads.fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_no_such_file_and_no_connection(server, tmp_path):
    with pytest.raises(MissingExtra, match="HTTP 404"):
        downloads.fetch_file(f"{server.url}/none.bin", tmp_path / "a.bin")
    with pytest.raises(MissingExtra, match=r"a.bin is out of reach \(127.0.0.1:9: .*refused\): connect, or copy it"):
        downloads.fetch_file("http://127.0.0.1:9/a.bin", tmp_path / "a.bin")
    with pytest.raises(InvalidValue, match="only https is"):
        downloads.fetch_file("http://example.org/a.bin", tmp_path / "a.bin")


def test_a_place_that_never_answers_is_given_up_in_time(monkeypatch):
    import time

    monkeypatch.setattr(downloads, "urlopen", lambda *a, **k: time.sleep(3) or io.BytesIO())
    monkeypatch.setenv("SPECTROGRAND_PATIENCE", "0.1")
    with pytest.raises(MissingExtra, match="no answer in 0.1 s"):
        downloads.reachable("https://example.org", "m")
    monkeypatch.setenv("SPECTROGRAND_PATIENCE", "soon")
    with pytest.raises(InvalidValue, match="SPECTROGRAND_PATIENCE is a number of seconds above 0, got 'soon'"):
        downloads.reachable("https://example.org", "m")


def test_a_slow_place_is_asked_again_and_no_network_is_known_at_once(server, tmp_path, monkeypatch, capsys):
    """Five times the first wait to the first byte: slow is not out of reach."""
    import time

    answer, waited = Handler.answer, []

    def slow(self, body):
        if not body:
            waited.append(1)
            time.sleep(0.5)
        answer(self, body)

    monkeypatch.setattr(Handler, "answer", slow)
    monkeypatch.setattr(downloads, "FIRST", 0.1)
    monkeypatch.setattr(downloads, "PATIENCE", 10.0)
    downloads.fetch_file(f"{server.url}/a.bin", tmp_path / "a.bin", sha256=SHA256)
    assert (tmp_path / "a.bin").read_bytes() == BODY and len(waited) > 1
    assert "slow to answer: waiting up to 9.9 s more" in capsys.readouterr().err
    begun = time.monotonic()
    with pytest.raises(MissingExtra, match="refused"):
        downloads.reachable("http://127.0.0.1:9", "m")
    assert time.monotonic() - begun < 1


# -- a plug-in's weights -----------------------------------------------------------------------------------------------


def fetched(server, tmp_path, path, **about):
    source = Url(server.url + path, about.pop("sha256", ""))
    one = Weights(**{"source": source, "megabytes": 1.0, "licence": "MIT", **about})
    return fetching._file(one, source, tmp_path / "part")


def test_what_was_fetched_is_written_down_and_kept(server, tmp_path):
    got = fetched(server, tmp_path, "/a.bin", sha256=SHA256)
    lock = json.loads((tmp_path / "part/weights-lock.json").read_text())
    assert lock["files"]["a.bin"] == {
        "sha256": SHA256, "source": f"{server.url}/a.bin", "source_sha256": SHA256, "licence": "MIT",
    }  # fmt: skip
    count = len(gets(server))
    assert fetched(server, tmp_path, "/a.bin", sha256=SHA256) == got and len(gets(server)) == count
    got.write_bytes(b"changed")
    assert fetched(server, tmp_path, "/a.bin", sha256=SHA256).read_bytes() == BODY
    assert weights.locked(got) == SHA256


def test_a_published_pickle_becomes_safetensors_and_nothing_of_it_runs(server, tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.numpy import load_file

    file = io.BytesIO()
    torch.save({"weight": torch.ones(1, 4), "bias": torch.zeros(1)}, file)
    server.files["/head.pth"] = file.getvalue()
    got = fetched(server, tmp_path, "/head.pth", file="head.safetensors")
    assert load_file(got)["weight"].shape == (1, 4)
    assert sorted(p.name for p in got.parent.iterdir()) == ["head.safetensors", "weights-lock.json"]
    server.files["/evil.pth"] = b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR."
    with pytest.raises(InvalidValue, match="system"):
        fetched(server, tmp_path, "/evil.pth", file="evil.safetensors")
    assert not (tmp_path / "ran").exists() and not (tmp_path / "part/evil.safetensors").exists()


def archive(names):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as box:
        for name in names:
            about = tarfile.TarInfo(name)
            about.size = 4
            box.addfile(about, io.BytesIO(b"data"))
    return file.getvalue()


def test_an_archive_is_unpacked_inside_its_folder(server, tmp_path):
    server.files["/model"] = archive(["./saved_model.pb", "variables/variables.index"])
    got = fetched(server, tmp_path, "/model?tf-hub-format=compressed", file="saved_model.pb")
    assert got.read_bytes() == b"data" and (got.parent / "variables/variables.index").is_file()
    assert set(json.loads((got.parent / "weights-lock.json").read_text())["files"]) == {
        "saved_model.pb", "variables/variables.index",
    }  # fmt: skip
    assert (
        weights.find_folder(str(tmp_path), Weights(Url("https://a.org/s"), 1.0, "MIT", "saved_model.pb"), part="part")
        == got.parent
    )
    server.files["/evil"] = archive(["saved_model.pb", "../../escaped"])
    with pytest.raises(InvalidValue, match="torn or hostile archive"):
        fetched(server, tmp_path / "other", "/evil", file="saved_model.pb")
    assert not (tmp_path / "escaped").exists() and not (tmp_path / "other/escaped").exists()
    assert not [p for p in tmp_path.rglob("*") if "unpacking" in p.name or p.suffix == ".download"]


# -- the hub -----------------------------------------------------------------------------------------------------------


def hub_files(server, commit):
    """What huggingface_hub asks of the hub for a repository of two files."""
    texts = {"config.json": b'{"model_type": "clap"}', "model.safetensors": BODY, "pytorch_model.bin": b"pickle"}
    about = {"id": "laion/clap-htsat-fused", "sha": commit, "siblings": [{"rfilename": n} for n in texts]}
    for tail in ("", "/revision/main", f"/revision/{commit}"):
        server.files[f"/api/models/laion/clap-htsat-fused{tail}"] = json.dumps(about).encode()
    tree = [{"type": "file", "path": n, "size": len(b), "oid": "0" * 40} for n, b in texts.items()]
    server.files[f"/api/models/laion/clap-htsat-fused/tree/{commit}"] = json.dumps(tree).encode()
    for name, text in texts.items():
        path = f"/laion/clap-htsat-fused/resolve/{commit}/{name}"
        server.files[path] = text
        server.headers[path] = {"ETag": f'"{hashlib.sha256(text).hexdigest()}"', "X-Repo-Commit": commit}


def command(server_url, tmp_path, *words):
    environment = {
        **os.environ, "HF_ENDPOINT": server_url, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_DISABLE_XET": "1",
        "SPECTROGRAND_WEIGHTS": str(tmp_path / "weights"), "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }  # fmt: skip
    words = [sys.executable, "-m", "spectrogrand", *words]
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment)


def test_a_hub_model_at_its_pinned_revision_without_what_could_run_code(server, tmp_path):
    pytest.importorskip("huggingface_hub")
    commit = "cca9e288ab447cee67d9ada1f85ddb46500f1401"
    hub_files(server, commit)
    path = f"/laion/clap-htsat-fused/resolve/{commit}/model.safetensors"
    server.files[path], whole = b"", server.files[path]
    server.headers[path], right = {}, server.headers[path]  # an outage half-way: no file, no commit
    done = command(server.url, tmp_path, "fetch", "clap")
    assert (
        done.returncode == 1
        and "laion/clap-htsat-fused was not fetched" in done.stderr
        and "goes on from there" in done.stderr
    )
    assert "Traceback" not in done.stderr
    server.files[path], server.headers[path] = whole, right
    done = command(server.url, tmp_path, "fetch", "clap")
    assert done.returncode == 0, done.stderr
    folder = done.stdout.strip()
    assert sorted(os.listdir(folder)) == ["config.json", "model.safetensors"] and commit in folder
    lock = json.loads((tmp_path / "weights/clap/weights-lock.json").read_text())
    assert lock["repositories"]["laion/clap-htsat-fused"]["revision"] == commit


def test_a_hub_model_whose_file_is_not_the_one_that_the_hub_names(server, tmp_path):
    """The hub's library compares lengths alone: here a byte is another, on the way and later on the disk."""
    pytest.importorskip("huggingface_hub")
    from spectrogrand.weights import hub

    commit = "cca9e288ab447cee67d9ada1f85ddb46500f1401"
    hub_files(server, commit)
    path = f"/laion/clap-htsat-fused/resolve/{commit}/model.safetensors"
    for about in [p for p in server.files if p.startswith("/api/") and "/tree/" not in p]:
        said = json.loads(server.files[about])
        said["siblings"][1]["lfs"] = {"size": len(BODY), "sha256": SHA256, "pointerSize": 9}
        server.files[about] = json.dumps(said).encode()
    server.files[path] = b"!" + BODY[1:]
    wrong = hashlib.sha256(server.files[path]).hexdigest()
    for words in ((), (f"weights={tmp_path / 'mine'}",)):
        done = command(server.url, tmp_path, "fetch", "clap", *words)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        assert f"model.safetensors of laion/clap-htsat-fused came with sha256 {wrong}, not {SHA256}" in done.stderr
        assert not [p for p in tmp_path.rglob("*") if p.is_file() and p.stat().st_size == len(BODY)]
    server.files[path] = BODY
    done = command(server.url, tmp_path, "fetch", "clap", f"weights={tmp_path / 'mine'}")
    assert done.returncode == 0, done.stderr
    place = tmp_path / "mine/clap"
    assert json.loads((place / weights.LOCK).read_text())["files"]["model.safetensors"]["sha256"] == SHA256
    hub.sha256(place)
    (place / "model.safetensors").write_bytes(BODY[:-1] + b"!")
    with pytest.raises(InvalidValue, match=f"model.safetensors has sha256 [0-9a-f]{{64}}, not {SHA256}"):
        hub.sha256(place)


def test_a_hub_model_that_has_only_a_pickle_is_converted(server, tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.numpy import load_file

    commit = "cca9e288ab447cee67d9ada1f85ddb46500f1401"
    hub_files(server, commit)
    file = io.BytesIO()
    torch.save({"audio_model.weight": torch.ones(2, 3)}, file)
    del server.files[f"/laion/clap-htsat-fused/resolve/{commit}/model.safetensors"]
    for path in [p for p in server.files if p.startswith("/api/")]:
        server.files[path] = server.files[path].replace(b"model.safetensors", b"readme.md")
    path = f"/laion/clap-htsat-fused/resolve/{commit}/pytorch_model.bin"
    server.files[path] = file.getvalue()
    server.headers[path]["ETag"] = f'"{hashlib.sha256(file.getvalue()).hexdigest()}"'
    done = command(server.url, tmp_path, "fetch", "clap", f"weights={tmp_path / 'mine'}")
    assert done.returncode == 0, done.stderr
    assert load_file(tmp_path / "mine/clap/model.safetensors")["audio_model.weight"].shape == (2, 3)


def test_a_model_whose_terms_are_not_accepted_says_where_to_accept_them(server, tmp_path):
    pytest.importorskip("huggingface_hub")
    commit = "cca9e288ab447cee67d9ada1f85ddb46500f1401"
    hub_files(server, commit)
    for path in [p for p in server.files if "/resolve/" in p]:
        del server.files[path]
        server.headers[path] = {"X-Error-Code": "GatedRepo"}
    done = command(server.url, tmp_path, "fetch", "clap")
    said = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "accept them at https://huggingface.co/laion/clap-htsat-fused" in said and "HF_TOKEN" in said


def test_of_a_pipeline_no_second_copies_are_fetched():
    names = [
        "model_index.json",
        "sd_xl_base_1.0.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "unet/config.json",
    ]
    copies = [
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/model.onnx",
        "vae/diffusion_pytorch_model.bin",
        "a.py",
    ]
    kept = [names[0], *names[2:], "vae/diffusion_pytorch_model.bin"]
    assert sorted(fetching.wanted_of(names + copies)) == sorted(kept)
    assert fetching.wanted_of(["model.fp16.safetensors"]) == ["model.fp16.safetensors"]
    shards = [f"text_encoder_3/model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    half = [s.replace("model-", "model.fp16-") for s in shards]
    assert fetching.wanted_of([*half, *shards]) == shards


def test_offline_says_so_at_once(tmp_path):
    pytest.importorskip("huggingface_hub")
    done = command("http://127.0.0.1:9", tmp_path, "fetch", "clap")
    assert done.returncode == 1
    assert re.search(r"laion/clap-htsat-fused is out of reach \(127.0.0.1:9: .*refused\).*weights=FOLDER", done.stderr)
    assert len(done.stderr.strip().splitlines()) == 1


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_and_what_it_refuses(capsys, monkeypatch):
    monkeypatch.setattr(fetching, "show_list", functools.partial(print, "the list"))
    assert main(["fetch", "--list"]) == 0 and "the list" in capsys.readouterr().out
    for words, said in (
        (["fetch"], "give their names"), (["fetch", "clpa"], "did you mean 'clap'"),
        (["fetch", "--lits"], "did you mean '--list'"),
        (["fetch", "novelty"], "novelty needs no weights"),
    ):  # fmt: skip
        assert main(words) == 2 and said in capsys.readouterr().err


def test_every_pin_is_well_formed():
    known = fetching.known()
    assert {"clap", "vila", "effnet_danceability", "laion_aesthetics", "magenta", "clap_novelty"} <= set(known)
    for name, sources in known.items():
        for one in (s.source for s in sources if s.source.commanded):
            assert re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}|pinned at fetch", one.pin), name
            if isinstance(one, Url):
                downloads.secure(one.address)
