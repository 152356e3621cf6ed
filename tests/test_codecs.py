"""Videos in formats that nobody here can decode, and encodings that are none: one line each."""

import av
import numpy as np
import pytest

from spectrogrand.errors import ConfigError, MediaError
from spectrogrand.lyrics.reading import Table
from spectrogrand.media import load_audio, load_image, load_video, sound_offset


def film(path, kind):
    with av.open(str(path), "w", format=kind) as out:
        video = out.add_stream("mpeg4", rate=10)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        sound = out.add_stream("aac", rate=44100)
        for k in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 40 * k, np.uint8), format="rgb24")
            frame.pts = k
            out.mux(video.encode(frame))
        quiet = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        quiet.rate, quiet.pts = 44100, 0
        out.mux(sound.encode(quiet))
        for stream in (video, sound):
            out.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("kind", "known", "unknown"),
    [("matroska", b"V_MPEG4/ISO/ASP", b"V_XYZQ4/ISO/ASP"), ("matroska", b"A_AAC", b"A_XXX"), ("avi", b"FMP4", b"ZZZZ")],
)
def test_an_unknown_codec_is_one_line(tmp_path, kind, known, unknown, capfd):
    film(tmp_path / "a", kind)
    data = (tmp_path / "a").read_bytes()
    assert known in data
    (tmp_path / "a").write_bytes(data.replace(known, unknown))
    told = []
    for load in (lambda p: list(load_video(p)), load_audio, load_image, sound_offset):
        try:
            load(tmp_path / "a")
        except MediaError as error:
            told.append(str(error))
    assert told and all("\n" not in line and "Errno" not in line for line in told)
    assert "Exception ignored" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "name", ["base64", "rot13", "hex", "zlib", "idna", "punycode", "undefined", "utf-7", "no", "a\nb", "é" * 90]
)
def test_an_encoding_that_is_none_is_one_line(tmp_path, name):
    (tmp_path / "a.csv").write_text('title,artist,lyrics\na,b,"one\ntwo"\n')
    with pytest.raises(ConfigError, match="no encoding"):
        list(Table(tmp_path / "a.csv", encoding=name))
