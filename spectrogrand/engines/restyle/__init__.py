"""Redrawing a stream in the colours and strokes of another: palette, flow, canvases, pulse."""
