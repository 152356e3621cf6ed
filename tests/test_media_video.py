"""Video in and out: every picture at its exact time and colour, sound and picture ending together, bytes that repeat."""

from fractions import Fraction

import av
import numpy as np
import pytest

from spectrogrand.errors import InvalidValue, MediaError, PluginError
from spectrogrand.media import load_audio, load_image, load_video, save_video
from spectrogrand.media.streams import ToYuv
from spectrogrand.types import Audio, Frames, Image, frame_count

RATES = [
    Fraction(30),
    Fraction(30000, 1001),
    Fraction(24000, 1001),
    Fraction(10),
    Fraction(25, 2),
    Fraction(60),
    Fraction(1),
]


def numbered(count: int, fps: Fraction, size: tuple[int, int] = (32, 32)) -> Frames:
    """Pictures whose grey says their number (mod 50)."""
    return Frames(lambda: (np.full((*size, 3), 5 * (k % 50), np.uint8) for k in range(count)), size, count, fps)


def sine(seconds: float, rate: int = 44100, channels: int = 2) -> Audio:
    time = np.arange(round(seconds * rate)) / rate
    return Audio(np.repeat(0.5 * np.sin(2 * np.pi * 440 * time)[None], channels, 0).astype(np.float32), rate)


@pytest.mark.parametrize("fps", RATES)
def test_frame_k_shows_at_k_over_fps(tmp_path, fps):
    save_video(tmp_path / "a.mp4", numbered(61, fps))
    with av.open(str(tmp_path / "a.mp4")) as container:
        shown = [(Fraction(f.pts) * f.time_base, f.to_ndarray(format="gray")[5, 5]) for f in container.decode(video=0)]
        assert container.streams.video[0].duration * container.streams.video[0].time_base == 61 / fps
    assert [time for time, _ in shown] == [k / fps for k in range(61)]
    back = load_video(tmp_path / "a.mp4")
    assert (back.count, back.fps, back.size, back.duration) == (61, fps, (32, 32), 61 / fps)
    for _ in range(2):  # a source can be read again
        for k, picture in enumerate(back):
            assert abs(int(picture[5, 5, 0]) - 5 * (k % 50)) <= 3


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(30000, 1001), Fraction(60)])
@pytest.mark.parametrize("rate", [8000, 44100, 48000, 96000, 11000])
def test_sound_and_picture_end_within_one_frame(tmp_path, fps, rate):
    sound = sine(1.2345, rate)
    save_video(tmp_path / "a.mp4", numbered(frame_count(sound.duration, fps), fps), sound)
    with av.open(str(tmp_path / "a.mp4")) as container:
        ends = [s.duration * s.time_base for s in container.streams]
        assert {s.start_time for s in container.streams} == {0}
    assert abs(ends[0] - ends[1]) <= 1 / fps
    back = load_audio(tmp_path / "a.mp4")
    assert abs(back.duration - sound.duration) <= Fraction(1, back.rate)


def test_sound_stays_in_time(tmp_path):
    """A click at a known sample is found there again, at any of the rates that are resampled or kept."""
    for rate in (22050, 44100, 96000):
        samples = np.zeros((1, 2 * rate), np.float32)
        samples[0, rate : rate + rate // 100] = 0.9
        save_video(tmp_path / "a.mp4", numbered(60, Fraction(30)), Audio(samples, rate))
        back = load_audio(tmp_path / "a.mp4")
        energy = np.convolve(back.samples[0] ** 2, np.ones(back.rate // 100), "valid")
        assert abs(np.argmax(energy) / back.rate - 1) < 0.002


@pytest.mark.parametrize(
    ("colour", "yuv"),
    [
        ((255, 0, 0), (63, 102, 240)),
        ((0, 255, 0), (173, 42, 26)),
        ((0, 0, 255), (32, 240, 118)),
        ((255,) * 3, (235, 128, 128)),
    ],
)
def test_colours_are_bt709_limited_and_tagged(tmp_path, colour, yuv):
    """Values of ITU-R BT.709-6, 3.2-3.4, rounded."""
    picture = np.full((16, 16, 3), colour, np.uint8)
    planes = ToYuv()(picture).to_ndarray()
    assert (planes[3, 3], planes[16:20].ravel()[9], planes[20:].ravel()[9]) == yuv
    save_video(tmp_path / "a.mp4", Frames(lambda: [picture] * 3, (16, 16), 3, Fraction(30)))
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)
        assert context.pix_fmt == "yuv420p"
    assert np.abs(load_image(tmp_path / "a.mp4").pixels[8, 8].astype(int) - colour).max() <= 3


@pytest.mark.parametrize("size", [(1, 1), (33, 64), (64, 33), (15, 17)])
def test_odd_sizes_are_padded_by_their_edge(tmp_path, size, rng):
    picture = np.full((*size, 3), 90, np.uint8)
    picture[-1, -1] = 90
    save_video(tmp_path / "a.mp4", Frames(lambda: [picture] * 2, size, 2, Fraction(30)))
    back = load_video(tmp_path / "a.mp4")
    assert back.size == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    assert np.abs(next(iter(back)).astype(int) - 90).max() <= 4


def test_index_in_front_and_nothing_personal_inside(tmp_path):
    save_video(tmp_path / "a.mp4", numbered(30, Fraction(30)), sine(1))
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert not [mark for mark in (b"x264", b"Lavf", b"Lavc", b"options:") if mark in data]
    at = data.index(b"mvhd")
    assert data[at + 8 : at + 16] == bytes(8)  # creation and modification time


@pytest.mark.parametrize("threads", [1, 2])
def test_same_input_gives_the_same_bytes(tmp_path, rng, threads):
    noise = rng.integers(0, 255, (40, 64, 64, 3), np.uint8)
    frames = Frames(lambda: iter(noise), (64, 64), 40, Fraction(30))
    for name in ("a", "b"):
        save_video(tmp_path / f"{name}.mp4", frames, sine(4 / 3, 96000, 6), threads=threads)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_surround_is_mixed_down_and_mono_stays_mono(tmp_path):
    surround = sine(1, channels=6)
    surround.samples[1:] = 0  # only the left front channel sounds
    save_video(tmp_path / "a.mp4", numbered(30, Fraction(30)), surround)
    left, right = np.abs(load_audio(tmp_path / "a.mp4").samples).max(axis=1)
    assert left > 0.15 and right < 0.02
    save_video(tmp_path / "b.mp4", numbered(30, Fraction(30)), sine(1, channels=1))
    assert load_audio(tmp_path / "b.mp4").channels == 1


def test_still_is_converted_once_and_a_reused_buffer_every_time(tmp_path, monkeypatch):
    from spectrogrand.media import encode

    converted = []
    to_yuv = ToYuv()
    monkeypatch.setattr(
        encode, "ToYuv", lambda: lambda picture: converted.append(int(picture[0, 0, 0])) or to_yuv(picture)
    )
    picture = np.zeros((16, 16, 3), np.uint8)

    def buffer():
        for k in range(5):
            picture[:] = 50 * k
            yield picture

    save_video(tmp_path / "a.mp4", Frames(buffer, (16, 16), 5, Fraction(30)))
    assert converted == [0, 50, 100, 150, 200]
    shown = [int(p[8, 8, 0]) for p in load_video(tmp_path / "a.mp4")]
    assert np.abs(np.subtract(shown, converted)).max() <= 3
    converted.clear()
    picture.flags.writeable = False
    save_video(tmp_path / "b.mp4", Frames.still(Image(picture), 5, Fraction(30)))
    assert len(converted) == 1 and load_video(tmp_path / "b.mp4").count == 5


def test_encoding_overlaps_frame_making(tmp_path):
    """The maker runs in the caller's thread and is never more than the queue and the encoder's delay ahead."""
    import threading

    here = threading.get_ident()
    makers, done = set(), []

    def make():
        for k in range(30):
            makers.add(threading.get_ident())
            yield np.full((16, 16, 3), k, np.uint8)

    save_video(tmp_path / "a.mp4", Frames(make, (16, 16), 30, Fraction(30)), progress=lambda k, n: done.append((k, n)))
    assert makers == {here}
    assert done == [(k + 1, 30) for k in range(30)]


def test_wrong_settings_and_lengths(tmp_path):
    frames = numbered(30, Fraction(30))
    for match, kind, settings in (
        ("must agree to one frame", InvalidValue, {"audio": sine(1.04)}),
        ("must agree to one frame", InvalidValue, {"audio": sine(0.9)}),
        ("no preset 'fasst'", InvalidValue, {"preset": "fasst"}),
        ("crf is 0 to 51", InvalidValue, {"crf": 52}),
        ("threads 1 to 64", InvalidValue, {"threads": 0}),
    ):
        with pytest.raises(kind, match=match):
            save_video(tmp_path / "a.mp4", frames, **settings)
    save_video(tmp_path / "a.mp4", frames, sine(1.03))  # less than a frame longer
    wide = Frames(lambda: [np.zeros((2, 16386, 3), np.uint8)], (2, 16386), 1, Fraction(30))
    with pytest.raises(MediaError, match="up to 16,384 a side"):
        save_video(tmp_path / "b.mp4", wide)


def test_published_videos_are_read_whole(shared):
    for name, size, count, fps in (("dynamic1", (512, 512), 100, 10), ("dynamic2", (376, 512), 100, 10)):
        video = load_video(shared / f"data/demo/spaceships_{name}.mp4")
        assert (video.size, video.count, video.fps) == (size, count, fps)
        assert sum(1 for _ in video) == count


def write_with(path, codec: str, stamps: list[int], form: str, tick: Fraction = Fraction(1, 1000), turn: int = 0):
    """A video with any time stamps (milliseconds)."""
    with av.open(str(path), "w", format=form) as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        stream.codec_context.time_base = tick
        for k, stamp in enumerate(stamps):
            frame = ToYuv()(np.full((32, 64, 3), 20 * k, np.uint8))
            frame.pts, frame.time_base = stamp, tick
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def test_variable_rate_becomes_constant(tmp_path):
    """Pictures at 0, 0.1, 0.5 and 0.6 s: each is shown for as long as its time, at the mean rate."""
    write_with(tmp_path / "a.mkv", "libx264", [0, 100, 500, 600, 1000], "matroska")
    video = load_video(tmp_path / "a.mkv")
    times = [0, 0.1, 0.5, 0.6, 1.0]
    for k, picture in enumerate(video):
        middle = (k + 0.5) / float(video.fps)
        assert abs(round(int(picture[5, 5, 0]) / 20) - (np.searchsorted(times, middle, "right") - 1)) == 0
    assert abs(float(video.duration) - 1.1) < 0.25


@pytest.mark.parametrize(
    ("codec", "form", "suffix"), [("libx264", "matroska", "mkv"), ("mpeg4", "avi", "avi"), ("libvpx", "webm", "webm")]
)
def test_other_containers(tmp_path, codec, form, suffix):
    tick = Fraction(1, 25)
    write_with(tmp_path / f"a.{suffix}", codec, list(range(10)), form, tick)
    video = load_video(tmp_path / f"a.{suffix}")
    assert (video.count, video.fps, video.size) == (10, 25, (32, 64))
    greys = [round(int(p[5, 5, 0]) / 20) for p in video]
    assert greys == list(range(10))


def test_cut_source_of_frames_is_named(tmp_path):
    short = Frames(lambda: [np.zeros((16, 16, 3), np.uint8)] * 3, (16, 16), 5, Fraction(30))
    with pytest.raises(PluginError, match="made 3 of the 5"):
        save_video(tmp_path / "a.mp4", short)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_hour_ends_together_in_flat_memory(tmp_path):
    """107,893 pictures at 30000/1001 and an hour of sound."""
    import resource

    fps, rate = Fraction(30000, 1001), 8000
    sound = sine(3600, rate, 1)
    count = frame_count(sound.duration, fps)
    picture = np.zeros((16, 16, 3), np.uint8)
    picture.flags.writeable = False
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    save_video(tmp_path / "a.mp4", Frames(lambda: (picture for _ in range(count)), (16, 16), count, fps), sound)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 80
    video, back = load_video(tmp_path / "a.mp4"), load_audio(tmp_path / "a.mp4")
    assert (video.count, video.fps) == (count, fps)
    assert abs(video.duration - back.duration) <= 1 / fps


def test_pictures_of_an_unknown_codec_are_one_line(tmp_path):
    """A found case: an FLV whose video tag names no codec gives a stream without a decoder."""
    path = tmp_path / "a.flv"
    path.write_bytes(b"FLV\x01\x05\x00\x00\x00\t" + b"\x00\x00\x00\x00\t\x00\x00\x02\x00\x00\x00\x00")
    with pytest.raises(MediaError):
        load_video(path)
    with pytest.raises(MediaError):
        load_image(path)
