"""One call that chooses as a run does: gates, references, noise, and one answer whatever the order."""

import numpy as np
import pytest
import toys  # noqa: F401  registers the toy scorers

import spectrogrand as sg
from spectrogrand.errors import ConfigError, InvalidValue, NoCandidateLeft


def songs(*hertz, rate=8000):
    t = np.arange(rate) / rate
    return [sg.Audio((0.5 * np.sin(2 * np.pi * f * t))[None].astype(np.float32), rate) for f in hertz]


def test_the_highest_score_wins_and_says_why():
    found = sg.best(songs(200, 900, 400), ["toy_loudness"], gates=[])
    assert found.index == 1 and found.why.startswith("candidate 1 has the highest quantile mean")
    assert found.scores["toy_loudness"].argmax() == 1


def test_what_fails_a_gate_never_wins():
    loud_silence = songs(900)[0]
    silent = sg.Audio(loud_silence.samples * 0, loud_silence.rate)
    found = sg.best([silent, *songs(200, 300)], {"mine": "toy_loudness"}, gates=["toy_gate"], rule="published")
    assert found.index == 2 and found.choice.failed[0] == "is silent"
    with pytest.raises(NoCandidateLeft, match="is silent"):
        sg.best([silent, silent], ["toy_loudness"], gates=["toy_gate"])


def test_every_gate_for_what_they_are_is_the_default():
    """White noise is more danceable than music by the published formula; a gate fails it without being named."""
    noise = sg.Audio(np.random.default_rng(0).normal(0, 0.2, (1, 64000)).astype(np.float32), 16000)
    song = sg.build("generators", {"name": "house_synth", "duration": 4.0}).generate([sg.Topic("rain")], seeds=[3])[0]
    found = sg.best([noise, song], ["danceability"])
    assert found.index == 1 and found.choice.failed[0]


def test_the_scorers_references_are_used():
    song = sg.build("generators", {"name": "house_synth", "duration": 4.0})
    made = song.generate([sg.Topic("rain")] * 3, seeds=[0, 1, 2])
    novelty = sg.build("scorers", "novelty")
    found = sg.best(made, [novelty], gates=[])
    same = sg.choose({"novelty": novelty.score(made)}, references={"novelty": novelty.reference_scores()},
                     noise={"novelty": novelty.noise})  # fmt: skip
    assert found.index == same.index and found.choice.totals.tolist() == same.totals.tolist()


def test_what_does_not_fit_is_said():
    with pytest.raises(ConfigError, match="toy_redness rates Image, the candidates are Audio"):
        sg.best(songs(200), ["toy_redness"])
    with pytest.raises(InvalidValue, match="one or more candidates of one type, got none"):
        sg.best([], ["toy_loudness"])
    with pytest.raises(ConfigError, match="weights name no scorer here: loud"):
        sg.best(songs(200), ["toy_loudness"], weights={"loud": 1})
