"""Songs by house_synth: how different, how in the topic's mood, and at what cost; the figures of docs/results/songs.md."""
