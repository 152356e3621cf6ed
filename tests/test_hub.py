"""Where models are looked for, what is said when they are not there, and that nothing is downloaded."""

import hashlib
import json
import os

import pytest

from spectrogrand.errors import InvalidValue, MissingExtra
from spectrogrand.interfaces import Weights
from spectrogrand.weights import hub
from spectrogrand.weights.sources import HubRepo, Url

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CARD = Weights(HubRepo("someone/some-model", COMMIT), 1234.0, "MIT")


def model(place, shard=b"weights"):
    """One model in the hub's layout."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "config.json").write_text("{}")
    (place / "model.safetensors").write_bytes(shard)
    return place


def pipeline(place):
    for home in ("unet", "scheduler"):
        (place / home).mkdir(parents=True)
    (place / "scheduler/scheduler_config.json").write_text("{}")
    model(place / "unet")
    index = {
        "_class_name": "P",
        "unet": ["diffusers", "U"],
        "scheduler": ["diffusers", "S"],
        "image_encoder": [None, None],
    }
    (place / "model_index.json").write_text(json.dumps(index))
    return place


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The hub's cache with the model at COMMIT, as the hub's own library lays it out: links to blobs named by sha256."""
    home = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home))
    repository = home / "models--someone--some-model"
    snapshot = repository / "snapshots" / COMMIT
    for folder in (repository / "blobs", repository / "refs", snapshot):
        folder.mkdir(parents=True)
    for name, data in (("config.json", b"{}"), ("model.safetensors", b"weights")):
        blob = repository / "blobs" / hashlib.sha256(data).hexdigest()
        blob.write_bytes(data)
        os.symlink(blob, snapshot / name)
    (repository / "refs/main").write_text(COMMIT)
    return snapshot


def test_a_folder_is_the_named_one_or_the_plug_ins_own_in_it(tmp_path):
    assert hub.folder(str(model(tmp_path / "a")), CARD, part="p") == tmp_path / "a"
    pipeline(tmp_path / "b/p")
    assert hub.folder(str(tmp_path / "b"), CARD, part="p") == tmp_path / "b/p"


def test_the_pinned_revision_of_the_cache_and_no_other(cache):
    assert hub.folder(None, CARD, part="p") == cache
    assert hub.file(None, CARD, "model.safetensors", part="p") == cache / "model.safetensors"
    other = Weights(HubRepo("someone/some-model", "f" * 40), 1234.0, "MIT")
    with pytest.raises(MissingExtra, match="p finds no someone/some-model in the hub's cache: fetch it .1,234 MB"):
        hub.folder(None, other, part="p")
    unpinned = Weights(HubRepo("someone/some-model"), 1234.0, "MIT")
    assert hub.folder(None, unpinned, part="p") == cache


def test_what_is_missing_is_said_with_the_command_that_fetches_it(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "none"))
    with pytest.raises(
        MissingExtra, match=r"in \S+, \S+/p or the hub's cache: fetch .* with spectrogrand fetch p, or set w"
    ):
        hub.folder(str(tmp_path), CARD, part="p")
    with pytest.raises(MissingExtra, match="p finds no a.safetensors of someone/some-model"):
        hub.file(None, CARD, "a.safetensors", part="p")
    with pytest.raises(InvalidValue, match="weights=/nowhere does not exist"):
        hub.folder("/nowhere", CARD, part="p")
    web = Weights(Url("https://essentia.upf.edu/models/a.pb"), 1.0, "CC")
    with pytest.raises(MissingExtra, match="spectrogrand fetch p"):
        hub.file(None, web, "a.pb", part="p")


@pytest.mark.parametrize("tear, lacks", [
    (lambda p: (p / "unet/model.safetensors").unlink(), r"unet/\*.safetensors"),
    (lambda p: (p / "unet/model.safetensors").write_bytes(b""), r"unet/model.safetensors \(it is empty\)"),
    (lambda p: (p / "scheduler").rename(p / "elsewhere"), "scheduler/"),
    (lambda p: (p / "unet/m.safetensors.index.json").write_text('{"weight_map": {"a": "m-2.safetensors"}}'), "unet/m-2.safe"),
])  # fmt: skip
def test_half_a_download_is_named(tmp_path, tear, lacks):
    tear(pipeline(tmp_path))
    with pytest.raises(MissingExtra, match=f"is incomplete, it lacks {lacks}.*spectrogrand fetch p"):
        hub.folder(str(tmp_path), CARD, part="p")


def test_a_torn_index_is_one_line(tmp_path):
    (pipeline(tmp_path) / "model_index.json").write_text('{"unet": [')
    with pytest.raises(InvalidValue, match="model_index.json is torn or no JSON"):
        hub.folder(str(tmp_path), CARD, part="p")


def test_a_file_by_itself_and_kinds_that_could_run_code(tmp_path):
    one = tmp_path / "mine.safetensors"
    one.write_bytes(b"x")
    assert hub.file(str(one), CARD, "head.safetensors", part="p") == one
    (tmp_path / "p").mkdir()
    (tmp_path / "p/head.safetensors").write_bytes(b"")
    with pytest.raises(InvalidValue, match="head.safetensors is empty"):
        hub.file(str(tmp_path), CARD, "head.safetensors", part="p")
    (tmp_path / "head.pth").write_bytes(b"x")
    with pytest.raises(InvalidValue, match="could run code: spectrogrand convert"):
        hub.file(str(tmp_path), CARD, "head.pth", part="p")


def test_a_folders_sha256_follows_every_byte_and_name_that_a_load_reads(tmp_path):
    place = model(tmp_path / "m")
    first = hub.sha256(place)
    (place / "README.md").write_text("other words")
    (place / ".cache").mkdir()
    (place / ".cache/x.json").write_text("{}")
    assert hub.sha256(place) == first
    assert hub.sha256(model(tmp_path / "n")) == first != hub.sha256(model(tmp_path / "o", b"weightz"))
    (place / "config.json").rename(place / "configuration.json")
    assert hub.sha256(place) != first


def test_the_caches_own_names_stand_for_the_bytes(cache, tmp_path, monkeypatch):
    assert hub.sha256(cache) == hub.sha256(model(tmp_path / "plain"))
    monkeypatch.setattr(hub, "sha256_of", lambda path: pytest.fail(f"{path} was read again"))
    hub.sha256(cache)


def test_a_large_file_is_read_once_even_by_two_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "LARGE", 4)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place, read = model(tmp_path / "m"), []
    true = hub.sha256_of
    monkeypatch.setattr(hub, "sha256_of", lambda path: read.append(path.name) or true(path))
    first = hub.sha256(place)
    assert hub.sha256(place) == first and read.count("model.safetensors") == 1
    (place / "model.safetensors").write_bytes(b"other weights")
    assert hub.sha256(place) != first and read.count("model.safetensors") == 2
    (tmp_path / "cache/spectrogrand/sha256.json").write_text("torn")
    hub.sha256(place)
    assert read.count("model.safetensors") == 3
