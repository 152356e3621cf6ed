"""A folder of one's own becomes a reference set with one command; a second time it costs nothing."""

import numpy as np
import pytest

from spectrogrand import Audio, Image, build, save_audio, save_image
from spectrogrand.__main__ import main
from spectrogrand.references import make as own_reference


def song(seed, rate=22050):
    rng = np.random.default_rng(seed)
    t = np.arange(4 * rate) / rate
    tone = np.sin(2 * np.pi * rng.uniform(80, 800) * t) * (np.sin(2 * np.pi * rng.uniform(1, 3) * t) > 0)
    return Audio((0.4 * tone + 0.05 * rng.normal(size=len(t)))[None].astype(np.float32), rate)


def picture(seed):
    pixels = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    return Image(pixels)


def test_songs_become_references_of_novelty(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    for k in range(3):
        save_audio(tmp_path / "mine" / f"{k}.wav", song(k))
    assert main(["reference", "mine", "mine.safetensors"]) == 0
    assert "3 songs or pictures" in capsys.readouterr().out
    scorer = build("scorers", {"name": "novelty", "references": "mine.safetensors"})
    known, new = scorer.score(
        [song(0), build("generators", {"name": "house_synth", "duration": 4.0}).generate([_topic()], [0])[0]]
    )
    assert scorer.reference().count == 3
    assert known < new

    monkeypatch.setattr(own_reference.media, "load_audio", lambda path: pytest.fail(f"{path} is decoded again"))
    before = (tmp_path / "mine.safetensors").read_bytes()
    assert main(["reference", "mine", "mine.safetensors"]) == 0
    assert (tmp_path / "mine.safetensors").read_bytes() == before


def _topic():
    from spectrogrand import Topic

    return Topic("a furious storm")


def test_pictures_become_references_of_surprise(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    for k in range(20):
        save_image(tmp_path / "mine" / f"{k}.png", picture(k))
    assert main(["reference", "mine", "covers.safetensors"]) == 0
    by_file = build("scorers", {"name": "cover_surprise", "reference": "covers.safetensors"})
    by_folder = build("scorers", {"name": "cover_surprise", "reference": "mine"})
    assert by_file.score([picture(99)]) == pytest.approx(by_folder.score([picture(99)]))


@pytest.mark.parametrize(
    ("files", "message"),
    [([], "neither songs nor pictures"), (["a.wav", "b.png"], "both songs and pictures"), (["a.wav"], "at least 2")],
)
def test_what_is_no_set_is_one_line(tmp_path, capsys, files, message):
    for name in files:
        (tmp_path / name).write_bytes(b"")
    assert main(["reference", str(tmp_path), str(tmp_path / "x.safetensors")]) in (1, 2)
    said = capsys.readouterr().err
    assert message in said and len(said.strip().splitlines()) == 1
    assert main(["reference", str(tmp_path / "nowhere"), "x.safetensors"]) == 2
    assert main(["reference", str(tmp_path)]) == 2
    assert not (tmp_path / "x.safetensors").exists()
