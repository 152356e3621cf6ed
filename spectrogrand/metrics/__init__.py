"""Measures of finished videos: pure functions of pictures, sound and seeds; they know no plug-in, no run and no store."""
