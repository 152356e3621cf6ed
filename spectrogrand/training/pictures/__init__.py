"""Classifying pictures (genre from mel pictures, surprise from covers): data, models, task, measures."""
