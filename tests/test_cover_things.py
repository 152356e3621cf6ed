"""What covers can show: the words that name a thing, in many languages, and the outlines that they name."""

import json
from pathlib import Path

import numpy as np
import pytest

from spectrogrand.engines.painting.things import outlines, vocabulary

TOPICS = json.loads((Path(__file__).parents[1] / "docs" / "gallery" / "sixty_topics.json").read_text("utf-8"))


def names(topic):
    return [thing.shape.name for thing in vocabulary.read(topic).things]


def test_counts_colours_and_plurals():
    two = vocabulary.read("two foxes in the snow").things
    assert (two[0].shape.name, two[0].count) == ("fox", 2)
    (one,) = vocabulary.read("a red umbrella").things
    assert "umbrella" in one.shape.name and one.colour == "red"


def test_compounds_come_before_their_parts():
    assert names("a fire engine") == ["fire engine"]


def test_a_count_is_not_carried_past_a_word_that_names_nothing():
    reading = vocabulary.read("two qwxz and a fox")
    assert [(t.shape.name, t.count) for t in reading.things] == [("fox", 1)] and reading.missed == ("qwxz",)


@pytest.mark.parametrize(
    ("topic", "name"),
    [("la luna sobre el mar", "moon"), ("zwei Hunde", "dog"), ("un éléphant", "elephant"), ("un drago", "dragon"),
     ("月とうさぎ", "rabbit"), ("火山", "volcano"), ("고양이", "cat"), ("лиса", "fox")],
)  # fmt: skip
def test_other_languages(topic, name):
    assert any(name in found for found in names(topic)), names(topic)


def test_emoji_stand_for_themselves():
    assert names("🐉🔥") == ["dragon", "fire"]


def test_words_that_name_nothing_are_missed():
    reading = vocabulary.read("qwxz the of")
    assert reading.things == () and reading.missed == ("qwxz",)
    assert vocabulary.read("!!! ...") == vocabulary.Reading((), ())
    vocabulary.read("word " * 100)


def test_there_are_many_shapes_and_each_has_ink():
    every = vocabulary.shapes()
    assert len(every) >= 1800
    for shape in every[::37]:
        drawn = outlines.lines(shape, 96)
        assert drawn.max() > 0.9 and 0.01 < drawn.mean() < 1.0, shape
        assert (outlines.silhouette(drawn) >= drawn).all()


def test_the_table_is_small():
    assert (vocabulary.DATA / "words.json.xz").stat().st_size < 1_000_000


def test_an_outline_is_the_same_at_every_size():
    fox = vocabulary.look_up("fox")
    small, large = (outlines.lines(fox, side) for side in (128, 512))
    assert small.shape[0] / small.shape[1] == pytest.approx(large.shape[0] / large.shape[1], rel=0.03)
    assert small.mean() == pytest.approx(large.mean(), rel=0.05)
    assert np.array_equal(large, outlines.lines(fox, 512))


@pytest.mark.parametrize(
    ("topic", "things"),
    [("медведь на велосипеде", ["bear", "bicycle on"]), ("los leones y las casas", ["lion", "house beside"]),
     ("i gatti e le volpi", ["cat", "fox beside"]), ("die Häuser und die Bäume", ["house", "deciduous tree beside"]),
     ("القطة والقمر", ["cat", "crescent moon"]), ("पेड़ों के नीचे हाथी", ["elephant", "deciduous tree under"]),
     ("木の下の犬", ["dog", "deciduous tree under"]), ("椅子上的猫", ["cat", "chair on"]), ("猫在椅子上", ["cat", "chair on"]),
     ("의자 위의 고양이", ["cat", "chair on"]), ("森の中の家", ["house"]), ("ein Leuchtturm im Sturm", ["lighthouse"])],
)  # fmt: skip
def test_inflections_and_relations_that_stand_behind_their_noun(topic, things):
    found = vocabulary.read(topic)
    assert [f"{t.shape.name} {t.relation}".strip() for t in found.things] == things and found.missed == ()


def test_senses_that_icons_named_by_their_first_word_had_spoilt():
    for topic, name in (("a king", "person with crown"), ("a vinyl record", "album"), ("a jar of honey", "honey pot"),
                        ("a table", "table furniture"), ("a child", "child"), ("a bottle", "bottle wine")):  # fmt: skip
        assert names(topic)[-1] == name, topic
    assert names("a treehouse") == ["deciduous tree", "house"]
    assert names("grandmother's teapot") == ["old woman", "teapot"]


def test_what_a_thing_is_like_and_what_it_does_are_read():
    reading = vocabulary.read("a broken robot learning to dance")
    assert reading.things[0].manners == ("broken",) and reading.emblems == (("dance", "musical note"),)
    assert reading.missed == ("learning",)
    assert vocabulary.read("a flying pig").things[0].aloft and vocabulary.read("a whale above the city").things[0].aloft
    assert vocabulary.read("dance").missed == ("dance",) and vocabulary.read("something broken").missed[-1] == "broken"
    (dancer,) = vocabulary.read("a ballerina in a red dress").things
    assert dancer.colour == "red"
    assert vocabulary.read("everything falls apart").things == ()


def test_counts_end_at_a_ground_and_kana_are_read_either_way():
    (house,) = vocabulary.read("five stars above a house").things
    assert house.count == 1
    assert names("森のきつね") == names("森のキツネ") == ["fox"]
