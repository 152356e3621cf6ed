"""Which libraries wrote a file: part of a video's key, since another encoder gives other bytes."""

from __future__ import annotations


def versions() -> dict[str, str]:
    """Versions of the libraries behind `save_video`.

    >>> sorted(versions())
    ['av', 'libavcodec', 'soxr']
    """
    import av
    import soxr

    return {
        "av": av.__version__,
        "libavcodec": ".".join(map(str, av.library_versions["libavcodec"])),
        "soxr": soxr.__version__,
    }
