"""Training the fusion of music and text for album covers: data, task, metrics."""
