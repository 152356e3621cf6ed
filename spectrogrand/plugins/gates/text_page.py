"""Gate "text_page": fails a page of text: lines of small strokes on paper of one grey."""

from __future__ import annotations

from collections.abc import Sequence

from ...image.damage import measure_text_lines
from ...interfaces import Card, Gate
from ...registry import register
from ...types import Image


@register("text_page")
class TextPage(Gate):
    """Fails a picture that is paper for three quarters, with ten and more lines of text that take three tenths of its side.

    Each line has twelve and more strokes per 256 pixels (`image.damage.measure_text_lines`). A title, a poster's few lines and
    lettering on a picture pass: a cover has few lines, and its ground is seldom of one grey.

    Args:
        lines: fewest lines that make a page.

    >>> import numpy as np
    >>> TextPage().check([Image(np.full((64, 64, 3), 250, np.uint8))])
    [None]
    """

    card = Card("fails pages of text", modules=("PIL",))
    artefact = Image

    def __init__(self, lines: int = 10) -> None:
        self.lines = lines

    def check(self, batch: Sequence[Image]) -> list[str | None]:
        """Per picture None, or "is a page of text (21 lines)"."""
        return [self._reason(image) for image in batch]

    def _reason(self, image: Image) -> str | None:
        paper, lines, share, strokes = measure_text_lines(image)
        if paper > 0.75 and lines >= self.lines and share > 0.3 and strokes >= 12:
            return f"is a page of text ({lines} lines)"
        return None
