"""The split: topics whose candidates weights may be fitted on, and topics that only prove. None is a reference's topic."""

CALIBRATION = (
    "a lighthouse in fog", "a robot learning to dance", "the last summer", "midnight in Tokyo", "a lion hunt",
    "rain on a tin roof", "the birth of a star", "a secret garden", "riding a motorcycle", "an old piano", "wolves in the snow",
    "a city under the sea", "harvest festival", "a lost astronaut", "sunrise over the alps", "a masked ball",
)  # fmt: skip
PROOF = (
    "a glass castle", "children playing", "an electric eel", "the desert wind", "a broken machine", "a night flight",
    "hope after the war", "a waterfall", "the king of cats", "a crowded market", "frozen lake", "a ghost ship",
    "roses and thorns", "a rocket launch", "deep breathing", "a train through the mountains",
)  # fmt: skip
SEED = 50_000
"""Candidates' seeds begin here: far from the references' (0 to 39) and from a run's (seed * 1000 + candidate)."""
