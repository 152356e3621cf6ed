"""Where decoded sound collects: a temporary file once it is large, so that memory stays flat however long it is."""

from __future__ import annotations

import os
import tempfile
import weakref
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import MediaError
from ..files import why_not
from ..types import Audio
from .limits import Limits, check_seconds

IN_MEMORY_SECONDS = 600
"""Longer sounds stay on disk, as a memory map."""
_SPILL = 1 << 22  # values (16 MiB) held before the file is begun


class Sink:
    """Takes blocks (time, channel), checks them, and becomes an `Audio`. `close` removes what was not handed out."""

    def __init__(
        self,
        source: Path,
        workspace: str | os.PathLike[str] | None,
        limits: Limits,
        form: tuple[int, int] | None = None,
    ) -> None:
        """`form` (rate, channels) makes every block that comes in another format one of this."""
        self._source, self._workspace, self._limits = source, workspace, limits
        self.rate = self.channels = self.length = 0
        self.changed, self.most_channels = False, 0
        self._form, self._other = form, form
        self._stream: Any = None
        self._wrong = 0
        self._first_wrong = 0
        self._held: list[np.ndarray] = []
        self._held_values = 0
        self._file: BinaryIO | None = None
        self._path: Path | None = None

    def begin(self, rate: int, channels: int) -> None:
        """Say the format; again for each block where it could change."""
        name = str(self._source)
        if not self.rate:
            if not 1 <= channels <= 8:
                raise MediaError(f"{name!r} has {channels} channels, 1 to 8 are read: mix it down first")
            if not 1000 <= rate <= 768000:
                raise MediaError(
                    f"{name!r} has a sampling rate of {rate:,} Hz, expected 1,000 to 768,000: resample it first"
                )
            self.rate, self.channels = self._form or (rate, channels)
        if channels > 8:
            raise MediaError(f"{name!r} has {channels} channels on the way, 1 to 8 are read: mix it down first")
        self.most_channels = max(self.most_channels, channels)
        self.changed = self.changed or (self._form is None and (rate, channels) != (self.rate, self.channels))
        if self._form is not None and (rate, channels) != self._other:
            self._finish()
            self._other = (rate, channels)

    def write(self, block: np.ndarray) -> None:
        """Take the next samples, float32 (time, channel); nothing once the format changed and no form was given."""
        if self.changed:
            return
        self._take(self._formed(block) if self._form is not None else block)

    def _formed(self, block: np.ndarray) -> np.ndarray:
        """A block at the wanted rate, with the wanted channels: one channel is copied to all, further ones are silent."""
        missing = self.channels - block.shape[1]
        if missing:
            more = (
                np.repeat(block, missing, axis=1)
                if block.shape[1] == 1
                else np.zeros((len(block), missing), np.float32)
            )
            block = np.concatenate([block, more], axis=1)
        rate = self._other[0] if self._other else self.rate
        if rate == self.rate:
            return block
        import soxr

        if self._stream is None:
            self._stream = soxr.ResampleStream(rate, self.rate, self.channels, dtype="float32", quality="HQ")
        made: np.ndarray = self._stream.resample_chunk(np.ascontiguousarray(block))
        return made

    def _finish(self) -> None:
        """Take what the resampler of the last format still holds."""
        if self._stream is not None:
            rest = self._stream.resample_chunk(np.zeros((0, self.channels), np.float32), last=True)
            self._stream = None
            if len(rest):
                self._take(rest)

    def _take(self, block: np.ndarray) -> None:
        finite = np.isfinite(block)
        if not finite.all():
            if not self._wrong:
                self._first_wrong = self.length + int(np.argmin(finite.all(axis=1)))
            self._wrong += int(finite.size - np.count_nonzero(finite))
        self.length += len(block)
        check_seconds(self.length / self.rate, self._source, self._limits)
        if 4 * self.length * self.channels > self._limits.bytes:
            raise MediaError(
                f"{str(self._source)!r} decodes to more than {self._limits.bytes / 2**30:,.1f} GiB:"
                " cut it into shorter files"
            )
        self._held.append(np.array(block, np.float32, order="C"))
        self._held_values += block.size
        if self._held_values > _SPILL:
            self._spill()

    def cut(self, length: int) -> None:
        """Keep at most `length` samples: encoders pad the last packet."""
        self.length = min(self.length, length)

    def audio(self) -> Audio:
        """The whole sound."""
        self._finish()
        name = str(self._source)
        if not self.length:
            raise MediaError(f"{name!r} holds no samples: export it again")
        if self._wrong:
            raise MediaError(
                f"{name!r} has {self._wrong:,} samples that are not finite (NaN or infinite), the first at"
                f" {self._first_wrong / self.rate:.3f} s: repair or export it again"
            )
        if self._file is None:
            return Audio(np.ascontiguousarray(np.concatenate(self._held)[: self.length].T), self.rate)
        self._spill()
        self._file.close()
        assert self._path is not None
        if self.length <= IN_MEMORY_SECONDS * self.rate:
            samples = np.fromfile(self._path, np.float32, self.length * self.channels).reshape(-1, self.channels)
            return Audio(np.ascontiguousarray(samples.T), self.rate)
        mapped = np.memmap(self._path, np.float32, "r", shape=(self.length, self.channels))
        # the operating system's map lives as long as any view of the sound does
        weakref.finalize(mapped._mmap, _remove, self._path, os.getpid())  # type: ignore[attr-defined]
        self._path = None
        return Audio(mapped.T, self.rate)

    def close(self) -> None:
        """Remove the temporary file unless a sound stands on it."""
        if self._file is not None:
            self._file.close()
        if self._path is not None:
            _remove(self._path, os.getpid())
            self._path = None

    def _spill(self) -> None:
        try:
            if self._file is None:
                folder = None if self._workspace is None else Path(self._workspace)
                handle, name = tempfile.mkstemp(".f32", "spectrogrand-", folder)
                self._path, self._file = Path(name), os.fdopen(handle, "wb")
            for block in self._held:
                self._file.write(block.data)
        except OSError as error:
            where = self._path or Path(self._workspace or tempfile.gettempdir(), "decoded sound")
            raise MediaError(f"{str(self._source)!r} was not decoded: {why_not(where, error)}") from error
        self._held, self._held_values = [], 0


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:  # never from a forked child, whose parent still reads the file
        path.unlink(missing_ok=True)
