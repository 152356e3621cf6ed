"""Files appear whole or not at all: interrupts, full disks and unwritable folders leave nothing behind."""

import errno
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spectrogrand.errors import InvalidValue, MediaError
from spectrogrand.media import load_audio, load_video, replacing, save_audio, save_image, save_video
from spectrogrand.types import Audio, Frames, Image

SOUND = Audio(np.zeros((1, 8000), np.float32), 8000)
IMAGE = Image(np.zeros((16, 16, 3), np.uint8))
FRAMES = Frames.still(IMAGE, 3, Fraction(30))
WRITERS = {
    "wav": lambda path: save_audio(path, SOUND),
    "png": lambda path: save_image(path, IMAGE),
    "mp4": lambda path: save_video(path, FRAMES),
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_what_was_there_is_replaced(tmp_path, suffix):
    target = tmp_path / f"a.{suffix}"
    target.write_text("old")
    WRITERS[suffix](target)
    assert target.stat().st_size > 60 and list(tmp_path.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("suffix", WRITERS)
def test_places_that_cannot_be_written(tmp_path, suffix):
    write = WRITERS[suffix]
    (tmp_path / "file").touch()
    (tmp_path / f"folder.{suffix}").mkdir()
    for path, match in (
        (tmp_path / "none" / f"a.{suffix}", "folder .* does not exist, make it first"),
        (tmp_path / "file" / f"a.{suffix}", "is not a folder|does not exist"),
        (tmp_path / f"folder.{suffix}", "is a folder"),
        (Path("/proc") / f"a.{suffix}", "was not written"),
        (tmp_path / f"{'x' * 300}.{suffix}", "name is too long"),
        (f"a\0b.{suffix}", "no file to write to|was not written"),
    ):
        with pytest.raises(MediaError, match=match) as caught:
            write(path)
        assert "\n" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", f"folder.{suffix}"]


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EACCES, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "quota"),
    ],
)
def test_refusals_of_the_system_carry_advice(tmp_path, monkeypatch, suffix, number, advice):
    """Said by the system when the file is made; an administrator meets no refusal, so it is put in its mouth."""
    from spectrogrand import files as atomic

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic.os, "open", refuse)
    with pytest.raises(MediaError, match=f"a.{suffix}' was not written: .*{advice}"):
        WRITERS[suffix](tmp_path / f"a.{suffix}")


FULL = """
import resource, sys
import numpy as np
from fractions import Fraction
from spectrogrand.errors import InvalidValue, MediaError
from spectrogrand.media import save_audio, save_image, save_video
from spectrogrand.types import Audio, Frames, Image
folder = sys.argv[1]
noise = np.random.default_rng(0).integers(0, 255, (30, 256, 256, 3), np.uint8)
writers = [
    lambda: save_audio(folder + "/a.wav", Audio(np.zeros((2, 400_000), np.float32), 8000)),
    lambda: save_image(folder + "/a.png", Image(noise[0])),
    lambda: save_video(folder + "/a.mp4", Frames(lambda: iter(noise), (256, 256), 30, Fraction(30))),
]
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for write in writers:
    try:
        write()
        print("written")
    except MediaError as error:
        print(error)
"""


def test_running_out_of_room_is_one_line_and_leaves_nothing(tmp_path):
    """A size limit on files, which the system reports from the same place as a full disk."""
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line.split(" was not written: ")[0][-7:-1] for line in lines] == ["/a.wav", "/a.png", "/a.mp4"]
    assert all("largest size allowed" in line for line in lines)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_on_the_way(tmp_path):
    with pytest.raises(MediaError, match="a.txt' was not written: the disk is full, free some space"):
        with replacing(tmp_path / "a.txt"):
            raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError, SystemExit])
@pytest.mark.parametrize("at", [0, 1, 25])
def test_whatever_stops_the_frames_leaves_the_old_file(tmp_path, error, at):
    target = tmp_path / "a.mp4"
    target.write_text("old")

    def make():
        for k in range(30):
            if k == at:
                raise error
            yield np.full((64, 64, 3), k, np.uint8)

    with pytest.raises(error):
        save_video(target, Frames(make, (64, 64), 30, Fraction(30)), Audio(np.zeros((1, 8000), np.float32), 8000))
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]


def test_missing_weights_are_not_blamed_on_the_video(tmp_path):
    def make():
        yield np.zeros((16, 16, 3), np.uint8)
        open(tmp_path / "weights")

    with pytest.raises(MediaError, match="a picture of the video could not be made: .*weights"):
        save_video(tmp_path / "a.mp4", Frames(make, (16, 16), 2, Fraction(30)))


def test_failing_encoder_stops_the_maker(tmp_path, monkeypatch):
    """An error in the encoder's thread reaches the caller, who is waiting for room in the queue."""
    from spectrogrand.media import encode

    made = []

    def broken(*_):
        raise av_error

    import av

    av_error = av.error.InvalidDataError(1094995529, "Invalid data", "x")
    monkeypatch.setattr(encode, "add_video", broken)
    frames = Frames(
        lambda: (made.append(k) or np.zeros((16, 16, 3), np.uint8) for k in range(1000)), (16, 16), 1000, Fraction(30)
    )
    with pytest.raises(MediaError, match="'.*a.mp4' was not encoded"):
        save_video(tmp_path / "a.mp4", frames)
    assert len(made) < 1000 and list(tmp_path.iterdir()) == []


ENDLESS = """
import sys
import numpy as np
from fractions import Fraction
from spectrogrand.media import save_video
from spectrogrand.types import Frames
def make():
    for k in range(100_000):
        yield np.full((64, 64, 3), k % 250, np.uint8)
        if k == 20:
            print("going", flush=True)
save_video(sys.argv[1] + "/a.mp4", Frames(make, (64, 64), 100_000, Fraction(30)))
"""


def test_interrupt_leaves_no_torn_file(tmp_path):
    worker = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert worker.stdout is not None and worker.stdout.readline() == b"going\n"
    worker.send_signal(signal.SIGINT)
    _, said = worker.communicate(timeout=30)
    assert worker.returncode == -signal.SIGINT and b"KeyboardInterrupt" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_never_written(tmp_path, value):
    samples = np.zeros((1, 8000), np.float32)
    samples[0, 5000] = value
    sound = Audio(samples, 8000)
    for write in (
        lambda: save_audio(tmp_path / "a.wav", sound),
        lambda: save_video(tmp_path / "a.mp4", Frames.still(IMAGE, 30, Fraction(30)), sound),
    ):
        with pytest.raises(InvalidValue, match="not finite"):
            write()
    assert list(tmp_path.iterdir()) == []


def test_threads_end_with_the_video(tmp_path):
    import threading

    save_video(tmp_path / "a.mp4", FRAMES)
    time.sleep(0)
    assert [t.name for t in threading.enumerate() if t.name == "spectrogrand-encoder"] == []


def test_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    save_audio("~/a.wav", SOUND)
    save_video("~/a.mp4", FRAMES)
    assert load_audio("~/a.wav").duration == 1 and load_video("~/a.mp4").count == 3
