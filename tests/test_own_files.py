"""What the user names (songs, pictures, an index, a genre) is looked at before anything is made, in every pipeline."""

import pytest

from spectrogrand import media
from spectrogrand.config import compose
from spectrogrand.errors import ConfigError, InvalidValue, MediaError, StoreError
from spectrogrand.pipelines.execute import execute
from spectrogrand.types import Image


@pytest.fixture
def files(tmp_path, rng):
    """A folder with a picture, and things that are none."""
    media.save_image(tmp_path / "in.png", Image(rng.integers(0, 255, (20, 20, 3), "uint8")))
    (tmp_path / "text.png").write_text("wish you were here")
    (tmp_path / "empty.mp3").write_bytes(b"")
    (tmp_path / "hollow").mkdir()
    return tmp_path


@pytest.mark.parametrize("words, error, said", [
    ("audiovisual topic=a song=file song.path={}/gone.mp3", MediaError, "no sound file"),
    ("audiovisual topic=a song=file song.path={}/empty.mp3", MediaError, "is empty"),
    ("audiovisual topic=a song=file song.path={}", MediaError, "is a folder, expected a sound"),
    ("audiovisual topic=a song=file song.path={}/text.png", MediaError, "is no sound: it is text that begins 'wish you"),
    ("audiovisual topic=a song=file", ConfigError, "set song.path=FILE"),
    ("audiovisual topic=a cover=file", ConfigError, "set cover.path=FILE"),
    ("audiovisual topic=a cover=file cover.path={}/gone.png", MediaError, "no picture file"),
    ("audiovisual topic=a cover=file cover.path={}/text.png", MediaError, "is no picture"),
    ("image_to_music picture={}/gone.png", MediaError, "no picture file"),
    ("image_to_music picture={}/text.png", MediaError, "is no picture"),
    ("image_to_music picture={}/in.png song=musicgen song.melody={}/gone.wav", MediaError, "no sound file"),
    ("image_to_music picture={}/in.png song=file song.path={}/gone.wav", MediaError, "no sound file"),
    ("music_visuals song=file song.path={}/gone.mp3", MediaError, "no sound file"),
    ("music_visuals topic=a genre_hint=polka", ConfigError, "genre_hint=polka has no art movement"),
    ("music_visuals topic=a genre_hint=jaz", ConfigError, "did you mean 'jazz'"),
    ("music_visuals topic=a artworks={}/gone.png", MediaError, "no picture file"),
    ("music_visuals topic=a artworks=[{}/in.png,{}/text.png]", MediaError, "is no picture"),
    ("latent_visualizer song=file song.path={}/gone.mp3", MediaError, "no sound file"),
    ("latent_visualizer topic=a lyrics={}/gone.txt", InvalidValue, "gone.txt"),
    ("recommendation topic=a index={}/gone", StoreError, "holds no index of lyrics: spectrogrand index"),
    ("recommendation topic=a index={}/hollow", StoreError, "holds no index of lyrics"),
    ("recommendation picture={}/in.png index={}/text.png", StoreError, "holds no index of lyrics"),
])  # fmt: skip
def test_what_is_not_there_is_told_in_one_line_and_no_run_is_begun(files, words, error, said):
    given = [f"pipeline={words.split()[0]}", *words.replace("{}", str(files)).split()[1:]]
    with pytest.raises(error, match=said) as told:
        execute(compose([*given, f"output={files / 'out'}"]))
    assert "\n" not in str(told.value) and not (files / "out").exists()
