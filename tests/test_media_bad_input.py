"""Bad media gets one typed line that says what was wrong, and nothing else ever happens."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spectrogrand.errors import MediaError
from spectrogrand.media import Limits, load_audio, load_image, load_video

READERS = (load_audio, load_image, load_video)
SECRET = "spectrogrand-secret"


def wav(samples: np.ndarray, subtype: str = "FLOAT", form: str = "WAV", rate: int = 8000) -> bytes:
    made = io.BytesIO()
    soundfile.write(made, samples, rate, format=form, subtype=subtype)
    return made.getvalue()


def refuse(path: Path | str, match: str, reader=load_audio, **settings) -> str:
    """The reader's error: one line that matches."""
    with pytest.raises(MediaError, match=match) as caught:
        reader(path, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_regular_file(tmp_path, reader):
    (tmp_path / "empty.wav").touch()
    os.mkfifo(tmp_path / "pipe.wav")
    refuse(tmp_path, "is a folder", reader)
    refuse(tmp_path / "empty.wav", "is empty", reader)
    refuse(tmp_path / "pipe.wav", "a device or a pipe", reader)
    refuse("/dev/zero", "a device or a pipe", reader)
    refuse("http://127.0.0.1/a.wav", "'http://127.0.0.1/a.wav' is an address", reader)
    refuse("a\0b.wav", "cannot be read", reader)
    refuse("x" * 5000, "cannot be read", reader)


def test_missing_file_suggests_its_neighbour(tmp_path):
    (tmp_path / "My Song (Mix), Pt 2.mp3").write_bytes(b"x")
    refuse(tmp_path / "my song (mix) pt2.mp3", r"did you mean '.*/My Song \(Mix\), Pt 2\.mp3'")
    refuse(tmp_path / "zzz.wav", "nothing in .* has a similar name")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_samples_that_are_no_numbers_are_counted(tmp_path, value, subtype):
    samples = np.zeros((8000, 2))
    samples[4000:4003, 1] = value
    (tmp_path / "a.wav").write_bytes(wav(samples, subtype))
    refuse(tmp_path / "a.wav", r"3 samples that are not finite .* first at 0\.500 s")


def test_channels_and_rates_beyond_the_contract(tmp_path):
    (tmp_path / "nine.wav").write_bytes(wav(np.zeros((10, 9))))
    refuse(tmp_path / "nine.wav", "9 channels, 1 to 8")
    (tmp_path / "slow.wav").write_bytes(wav(np.zeros((10, 1)), rate=999))
    refuse(tmp_path / "slow.wav", "999 Hz, expected 1,000 to 768,000")


def test_no_samples(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav(np.zeros((0, 1))))
    refuse(tmp_path / "a.wav", "holds no samples")


@pytest.mark.parametrize(
    ("form", "subtype"),
    [("WAV", "PCM_16"), ("RF64", "PCM_24"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("AIFF", "PCM_16")],
)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_cut_files(tmp_path, rng, form, subtype, share):
    whole = wav(rng.uniform(-0.5, 0.5, (80000, 1)), subtype, form)
    (tmp_path / "a.wav").write_bytes(whole)
    assert load_audio(tmp_path / "a.wav").samples.shape[1] == 80000
    (tmp_path / "a.wav").write_bytes(whole[: int(len(whole) * share)])
    refuse(tmp_path / "a.wav", "cut off")


def test_cut_mp3(tmp_path, shared):
    data = (shared / "data/audio/808kick120bpm.mp3").read_bytes()
    from spectrogrand.media.promises import xing_present

    assert xing_present(io.BytesIO(data))
    (tmp_path / "a.mp3").write_bytes(data[: len(data) // 2])
    refuse(tmp_path / "a.mp3", r"promises 1\d\.\d+ s in its header but holds \d\.\d+ s")


@pytest.mark.parametrize("reader", READERS)
def test_cut_video(tmp_path, shared, reader):
    data = (shared / "data/demo/spaceships_dynamic1.mp4").read_bytes()
    index_first = data.index(b"moov") < data.index(b"mdat")
    (tmp_path / "a.mp4").write_bytes(data[: len(data) // 2])
    if reader is load_image and index_first:
        assert load_image(tmp_path / "a.mp4").size == (512, 512)
    else:
        refuse(tmp_path / "a.mp4", "cut off|damaged", reader)


@pytest.mark.parametrize(("form", "codec"), [("matroska", "libx264"), ("flv", "libx264"), ("webm", "libvpx")])
def test_cut_streaming_containers(tmp_path, rng, form, codec):
    """These have one length for all streams, and FFmpeg ends early without a word."""
    from fractions import Fraction

    import av

    path = tmp_path / "a.bin"
    with av.open(str(path), "w", format=form) as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for k in range(50):
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 255, (64, 64, 3), np.uint8), "rgb24")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert load_video(path).count == 50
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    refuse(path, r"promises 2\.\d+ s in its header but holds [01]\.\d+ s", load_video)


@pytest.mark.parametrize(("promised", "there"), [(10.0, 4.0), (1.0, 10.0), (0.0, 10.0)])
def test_header_that_lies_about_the_length(tmp_path, promised, there):
    data = bytearray(wav(np.zeros((int(8000 * there), 1)), "PCM_16"))
    data[40:44] = struct.pack("<I", int(promised * 16000))
    (tmp_path / "a.wav").write_bytes(data)
    refuse(tmp_path / "a.wav", f"promises {promised:.3f} s in its header but holds {there:.3f} s")


def test_chunks_behind_the_samples_are_no_lie(tmp_path):
    data = wav(np.zeros((800, 1)), "PCM_16")
    (tmp_path / "a.wav").write_bytes(data + b"LIST" + struct.pack("<I", 5000) + bytes(5000))
    assert load_audio(tmp_path / "a.wav").samples.shape == (1, 800)


def playlists(folder: Path) -> dict[str, str]:
    """Texts by which FFmpeg would open other files, each naming a real sound and a system file."""
    other = folder / f"{SECRET}.wav"
    other.write_bytes(wav(np.zeros((8000, 1)), "PCM_16"))
    return {
        "concat": f"ffconcat version 1.0\nfile {other.name}\nfile /etc/passwd\n",
        "m3u": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
        "dash": f'<?xml version="1.0"?><MPD type="static"><BaseURL>{other}</BaseURL></MPD>',
        "subtitles": "1\n00:00:00,000 --> 00:00:01,000\nhello\n",
        "svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>',
    }


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("suffix", ["wav", "mp3", "mp4", "ffconcat", "png", "m3u8"])
def test_playlists_are_text_whatever_their_name(tmp_path, monkeypatch, reader, suffix):
    monkeypatch.chdir(tmp_path)
    for name, text in playlists(tmp_path).items():
        path = tmp_path / f"{name}.{suffix}"
        path.write_text(text)
        said = refuse(path, "it is text that begins", reader)
        assert "root:" not in said


def test_ffmpeg_alone_would_follow_the_playlist(tmp_path):
    """Why the demuxer is forced: left to itself, FFmpeg reads the other file."""
    import av

    path = tmp_path / "list.wav"
    path.write_text(playlists(tmp_path)["concat"].replace("file /etc/passwd\n", ""))
    with av.open(str(path)) as container:
        assert container.format.name == "concat"
    refuse(path, "text that begins 'ffconcat version 1.0")


def test_second_barrier_stops_a_demuxer_that_opens_other_files(tmp_path):
    """Were a playlist ever given to its demuxer, it could still not open the file that it names."""
    import av

    from spectrogrand.media.sniff import open_container

    playlists(tmp_path)
    text = f"ffconcat version 1.0\nfile {SECRET}.wav\n".encode()
    (tmp_path / "list").write_bytes(text)
    with av.open(str(tmp_path / "list"), format="concat") as container:
        assert len(list(container.decode(audio=0))) > 0  # without the barrier it is read
    with open(tmp_path / "list", "rb") as file, pytest.raises(av.error.FFmpegError):
        open_container(file, "concat")


def test_video_without_sound_and_sound_without_picture(tmp_path, shared):
    from fractions import Fraction

    from spectrogrand.media import save_video
    from spectrogrand.types import Frames, Image

    save_video(tmp_path / "mute.mp4", Frames.still(Image(np.zeros((16, 16, 3), np.uint8)), 3, Fraction(30)))
    refuse(tmp_path / "mute.mp4", "has no sound in it")
    refuse(shared / "data/audio/outfoxing.mp3", "no picture|cover", load_video)
    refuse(shared / "data/audio/loop_mika.flac", "is a sound", load_image)
    refuse(shared / "data/audio/loop_mika.flac", "is a sound|it is a sound", load_video)


def test_limits(tmp_path, shared):
    song = shared / "data/audio/outfoxing.mp3"
    refuse(song, "lasts 97 s, at most 60 s", limits=Limits(seconds=60))
    refuse(song, "at most .* GiB are read", limits=Limits(bytes=1000))
    loop = shared / "data/audio/loop_mika.flac"
    refuse(loop, "decodes to more than", limits=Limits(bytes=loop.stat().st_size + 1))
    demo = shared / "data/demo/spaceships_dynamic1.mp4"
    refuse(demo, "at most 0 million are read", load_image, limits=Limits(pixels=512 * 511))
    refuse(demo, "lasts 10 s, at most 9 s", load_video, limits=Limits(seconds=9))


def png_of(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises any size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [10_001, 13_000, 100_000])
def test_picture_bombs_are_refused_before_decoding(tmp_path, side, monkeypatch):
    (tmp_path / "bomb.png").write_bytes(png_of(side, side))
    monkeypatch.setattr(PIL.Image.Image, "load", lambda *_: pytest.fail("a bomb was decoded"))
    refuse(tmp_path / "bomb.png", "pixels, at most 100 million", load_image)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "tiff", "bmp"])
def test_cut_pictures(tmp_path, rng, suffix):
    PIL.Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(tmp_path / f"a.{suffix}")
    data = (tmp_path / f"a.{suffix}").read_bytes()
    for share in (0.1, 0.6):
        (tmp_path / f"a.{suffix}").write_bytes(data[: int(len(data) * share)])
        refuse(tmp_path / f"a.{suffix}", "cut off|no picture", load_image)


HEADS = [
    b"", b"RIFF\xff\xff\xff\x7fWAVEfmt ", b"RIFF\0\0\0\0WAVE", b"RF64\xff\xff\xff\xffWAVEds64", b"fLaC\0\0\0\x22", b"OggS\0\2",
    b"ID3\4\0\0\0\0\0\0", b"\xff\xfb\x90\x64", b"\0\0\0\x18ftypisom", b"\0\0\0\x08moov", b"\x1a\x45\xdf\xa3", b"RIFF\0\0\0\0AVI ",
    b"FLV\1\5\0\0\0\x09", b"FORM\0\0\1\0AIFF", b"caff\0\1", b".snd\0\0\0\x18", b"riff\x2e\x91\xcf\x11",
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"P6 2 2 255\n", b"8BPS\0\1",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(HEADS), st.binary(max_size=300), st.sampled_from(["wav", "mp3", "mp4", "png", "tga", "flac", "ogg"])
)
@example(b"\x1a\x45\xdf\xa3", b"\xa3" * 100, "mp4")
def test_random_bytes_give_nothing_but_the_typed_error(tmp_path_factory, head, body, suffix):
    """A reader answers with media or with one line, never with another exception, whatever the bytes."""
    path = tmp_path_factory.mktemp("random") / f"a.{suffix}"
    path.write_bytes(head + body)
    for reader in READERS:
        try:
            reader(path)
        except MediaError as error:
            assert "\n" not in str(error)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_real_files_give_nothing_but_the_typed_error(tmp_path_factory, shared, data):
    """Real files with a few bytes changed or the end gone."""
    name = data.draw(st.sampled_from(["audio/bd_haus.flac", "demo/spaceships_dynamic2.mp4", "audio/808kick120bpm.mp3"]))
    content = bytearray((shared / "data" / name).read_bytes()[: data.draw(st.integers(1, 150_000))])
    for _ in range(data.draw(st.integers(0, 20))):
        content[data.draw(st.integers(0, min(len(content) - 1, 3000)))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / Path(name).name
    path.write_bytes(content)
    for reader in READERS:
        try:
            reader(path)
        except MediaError as error:
            assert "\n" not in str(error)
