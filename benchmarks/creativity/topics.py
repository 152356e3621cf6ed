"""The split: topics whose candidates weights may be fitted on, and topics that only prove. None is a reference's topic.

The proof topics were written after the calibration topics had been used, and no table was looked at before the weights stood.
"""

CALIBRATION = (
    "a lighthouse in fog", "a robot learning to dance", "the last summer", "midnight in Tokyo", "a lion hunt",
    "rain on a tin roof", "the birth of a star", "a secret garden", "riding a motorcycle", "an old piano", "wolves in the snow",
    "a city under the sea", "harvest festival", "a lost astronaut", "sunrise over the alps", "a masked ball",
    "a glass castle", "children playing", "an electric eel", "the desert wind", "a broken machine", "a night flight",
    "hope after the war", "a waterfall", "the king of cats", "a crowded market", "frozen lake", "a ghost ship",
    "roses and thorns", "a rocket launch", "deep breathing", "a train through the mountains",
)  # fmt: skip
PROOF = (
    "a beehive in spring", "falling down the stairs", "an island nobody owns", "the clockmaker's daughter", "thunder over wheat",
    "a neon laundromat", "two foxes", "letters never sent", "the moon in a well", "a volcano wakes", "paper lanterns",
    "an orchestra of frogs", "the smell of rain", "a card trick", "dust on the highway", "a tiger in the library",
)  # fmt: skip
SEED = 50_000
"""Candidates' seeds begin here: far from the references' (0 to 39) and from a run's (seed * 1000 + candidate)."""
