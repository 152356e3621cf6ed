"""Covers that draw their topic: ten finishes, layouts, any shape of picture, scripts and odd topics."""

import numpy as np
import pytest
from PIL import Image as Picture

from spectrogrand import CoverBrief
from spectrogrand.engines.painting import typefaces
from spectrogrand.engines.painting.canvas import Canvas
from spectrogrand.engines.painting.things import bodies, horizon, layout, outlines, poster, senses, show, vocabulary
from spectrogrand.errors import InvalidValue
from spectrogrand.plugins.generators.pictures.procedural_cover import ProceduralCover

ALL = dict(show.FINISHES)


def paint(topic, seed=0, **settings):
    settings = settings or {"size": 256}
    return ProceduralCover(**settings).generate([CoverBrief(topic, "bass", "purple", "ascends")], [seed])[0]


def group(topic):
    return layout.group(vocabulary.read(topic).things, np.random.default_rng(0))


@pytest.mark.parametrize("finish", show.FINISHES)
def test_every_finish_is_the_same_picture_at_every_size_and_for_every_call(finish, monkeypatch):
    monkeypatch.setattr(show, "FINISHES", {finish: show.FINISHES[finish]})
    small, large = paint("two foxes in the snow", 1), paint("two foxes in the snow", 1, size=420)
    assert small.notes["finish"] == finish and small.notes["shown"][0]["word"] == "foxes"
    a, b = (
        np.asarray(Picture.fromarray(x.pixels).resize((32, 32), Picture.Resampling.BOX), float) for x in (small, large)
    )
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.95
    assert np.array_equal(small.pixels, paint("two foxes in the snow", 1).pixels)


def test_four_candidates_differ_in_finish_and_layout():
    notes = [paint("a lighthouse", seed).notes for seed in range(4)]
    assert len({n["finish"] for n in notes}) == 4
    assert len({(n["finish"] in ("moonlit", "gouache", "paper"), n["layout"]) for n in notes}) >= 2


def test_at_least_six_finishes_among_twenty_topics():
    from spectrogrand.engines.painting import composition
    from spectrogrand.engines.painting.canvas import Canvas

    row = dict.fromkeys([f"motif_{f}" for f in composition.FAMILIES], 0.1)
    found = set()
    for k in range(20):
        brief = CoverBrief(f"thing number {k}", "bass", "black", "ascends")
        scene = composition.plan(brief, row, 0, Canvas(16))
        found.add(show.order(tuple(show.FINISHES), scene, brief)[0])
    assert len(found) >= 6


def test_relations_place_things():
    cat, piano = sorted(group("a cat on a piano"), key=lambda i: i.y)
    assert cat.thing.word == "cat" and piano.y - piano.h <= cat.y < piano.y and abs(cat.x - piano.x) < piano.w / 2
    balloons = [i for i in group("four balloons over a castle") if i.thing.word == "balloons"]
    castle = next(i for i in group("four balloons over a castle") if i.thing.word == "castle")
    assert len(balloons) == 4 and all(b.y < castle.y - castle.h and b.aloft for b in balloons)
    items = group("three elephants under an umbrella")
    umbrella = next(i for i in items if i.thing.word == "umbrella")
    herd = [i for i in items if i is not umbrella]
    assert len(herd) == 3
    assert all(umbrella.box[0] < i.x < umbrella.box[2] and i.y - i.h > umbrella.y - umbrella.h for i in herd)
    left, right = group("a penguin beside a lighthouse")
    assert left.box[2] <= right.box[0] and left.y == right.y == 0 and left.h < right.h
    fish, bowl = sorted(group("a fish in a bowl"), key=lambda i: -i.depth)
    assert fish.thing.word == "fish" and fish.depth > bowl.depth and fish.y < bowl.y


def test_fit_keeps_a_group_in_its_box():
    items = layout.fit(group("a cat on a piano"), 0.5, 0.8, 0.6, 0.4)
    boxes = np.array([i.box for i in items])
    assert boxes[:, 3].max() == pytest.approx(0.8) and boxes[:, 1].min() >= 0.4 - 1e-6
    assert boxes[:, 0].min() >= 0.2 - 1e-6 and boxes[:, 2].max() <= 0.8 + 1e-6


@pytest.mark.parametrize("size", [(320, 180), (181, 301), (256, 1024)])
def test_any_shape_is_painted_natively(size):
    width, height = size
    made = paint("a boat on a calm lake at sunset", 0, width=width, height=height)
    assert made.size == (height, width)
    (boat,) = [e for e in made.notes["shown"] if e["word"] == "boat"]
    x0, y0, x1, y1 = boat["box"]
    true = outlines.aspect(vocabulary.named(boat["shape"]))
    assert (x1 - x0) * width / ((y1 - y0) * height) == pytest.approx(true, rel=0.05)  # never stretched
    assert np.ptp(made.pixels[:, :4].astype(int)) > 8 and np.ptp(made.pixels[:, -4:].astype(int)) > 8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 1000, "height": 16}, "at most 4 times as long as it is wide, got 1000 x 16"),
        ({"width": 8}, "width is a whole number of pixels"),
        ({"height": 100.0}, "height is a whole number of pixels"),
        ({"size": None}, "size is a whole number"),
    ],
)
def test_bad_shapes(settings, message):
    with pytest.raises(InvalidValue, match=message):
        ProceduralCover(**settings)


@pytest.mark.parametrize(
    "topic",
    ["the of and", "qwxz " * 100, "you stupid idiot",
     "\u05e9\u05dc\u05d5\u05dd abc \u0633\u0644\u0627\u0645",
     "\U0001f9ff\U0001fae8\u200d\U0001f525\U0001f9cc", "!!!", "x" * 400,
     "seven foxes and lighthouses in the rain " * 80, "1 2 3", "\u200d\ufe0f"],
)  # fmt: skip
def test_odd_topics_give_a_picture(topic):
    made = paint(topic, 1, size=64)
    assert made.size == (64, 64) and made.pixels.std() > 3


def test_what_nothing_is_known_of_is_set_as_type():
    notes = paint("qwxz vbnt", 0).notes
    assert notes["finish"] == "type" and notes["shown"] == [] and notes["missed"] == ["qwxz", "vbnt"]
    lines, height = poster._broken("everything falls apart", 0.8, 0.6)
    assert " ".join(lines) == "everything falls apart" and 0.05 < height <= 0.3
    assert poster.settable("word " * 200).endswith("\u2026")
    assert poster._broken("a", 0.8, 0.6)[1] == pytest.approx(0.3)


@pytest.mark.parametrize("word", ["sunday", "melancholy", "running", "broken", "grand", "silence", "order"])
def test_adjectives_verbs_and_moods_name_no_thing(word):
    reading = vocabulary.read(f"a {word}")
    assert reading.things == () and reading.missed == (word,)


def test_surroundings_in_many_languages():
    for topic, key in (("la luna sobre el mar", "sea"), ("zwei Hunde im Regen", "rain"), ("лиса под снегом", "snow"),
                       ("夜の猫", "night"), ("un bateau dans la tempête", "storm"),
                       ("un gatto nella nebbia", "fog"),):  # fmt: skip
        assert vocabulary.read(topic).meaning(key) == key, topic


def test_colours_follow_or_lead_their_noun():
    for topic in ("a red umbrella", "un parapluie rouge", "ein roter Regenschirm", "красный зонт"):
        (thing,) = vocabulary.read(topic).things
        assert thing.colour == "red", topic
    assert vocabulary.read("an orange").things[0].colour is None


def test_every_alias_names_a_shape():
    assert [s for s in senses.ALIASES.values() if not vocabulary.is_shape(s)] == []


def test_fields_cover_the_body_and_lines_are_inside_it():
    for name in ("fox", "lighthouse", "guitar", "airballoon"):
        drawing = outlines.draw(vocabulary.named(name), 200, 180)
        assert drawing.body.shape[0] <= 206 and drawing.body.shape[1] <= 186
        assert (drawing.fields[drawing.body > 0.5] > 0).all() and drawing.fields.max() == drawing.count
        assert (drawing.mark <= drawing.body + 1e-6).all() and (drawing.lines <= drawing.body + 1e-6).all()
        assert np.array_equal(drawing.mirrored().mirrored().ink, drawing.ink)


def test_heads_get_bodies_where_they_stand_and_stay_emblems_alone(monkeypatch):
    for finish, name in (("gouache", "fox whole"), ("linocut", "fox")):
        monkeypatch.setattr(show, "FINISHES", {finish: ALL[finish]})
        assert paint("a fox").notes["shown"][0]["shape"] == name
    head, body = (outlines.draw(vocabulary.named(n), 200, 200).body for n in ("robot", "robot whole"))
    assert body.shape[0] / body.shape[1] > 1.25 * head.shape[0] / head.shape[1]
    assert vocabulary.is_shape("robot whole") and not vocabulary.is_shape("bicycle whole")
    for shape in vocabulary.shapes():
        if bodies.has_body(shape.name):
            drawn = outlines.lines(vocabulary.made_whole(shape), 96)
            assert outlines.silhouette(drawn).mean() > 0.2, shape  # closed all round


@pytest.mark.parametrize("kind", horizon.FORMS)
def test_a_ground_that_is_named_reaches_across_the_picture_in_every_finish(kind):
    canvas = Canvas(300, 200)
    band = horizon.draw(canvas, kind, 0.84, np.random.default_rng(3))
    assert band.body[-1].min() > 0.9 and band.body[:60].max() < 0.1
    assert 0.002 < band.pen.mean() < 0.2


def test_solid_glyphs_take_their_colour(monkeypatch):
    monkeypatch.setattr(show, "FINISHES", {"gouache": ALL["gouache"]})
    made = paint("a red apple")
    x0, y0, x1, y1 = made.notes["shown"][0]["box"]
    rows, columns = made.size
    middle = made.pixels[int((y0 * 0.3 + y1 * 0.7) * rows), int((x0 + x1) / 2 * columns)].astype(int)
    assert middle[0] > 1.5 * middle[1:].max()


def test_what_is_broken_is_in_two():
    from scipy.ndimage import label

    whole = outlines.draw(vocabulary.named("red apple"), 200, 200)
    assert label(whole.body > 0.5)[1] < label(whole.cracked().body > 0.5)[1]
    assert whole.cracked().body.shape == whole.body.shape


SCRIPTS = {
    "devanagari": "\u0905\u0928\u0902\u0924 \u0932\u093e\u0932\u0938\u093e", "bengali": "\u0985\u09b8\u09c0\u09ae",
    "tamil": "\u0bae\u0bc1\u0b9f\u0bbf", "thai": "\u0e04\u0e27\u0e32\u0e21", "gurmukhi": "\u0a2c\u0a47\u0a05\u0a70\u0a24",
    "arabic": "\u0634\u0648\u0642 \u0644\u0627", "hebrew": "\u05d2\u05e2\u05d2\u05d5\u05e2", "greek": "\u039b\u03b1\u03c7",
    "cyrillic": "\u0442\u043e\u0441\u043a\u0430", "armenian": "\u053f\u0561\u0580", "georgian": "\u10da\u10e2\u10dd",
}  # fmt: skip


@pytest.fixture
def bare(monkeypatch):
    """As where the packages of faces are not installed."""
    monkeypatch.setattr(typefaces, "find_spec", lambda name: None)
    typefaces.faces.cache_clear()
    yield
    typefaces.faces.cache_clear()


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_that_is_shipped_is_set_without_boxes(bare, script):
    text = SCRIPTS[script]
    assert typefaces.settable(text) == text and typefaces.unset(text) == ""
    for face, part in typefaces.spans(text):
        assert all(ord(ch) in face.known for ch in part if not ch.isspace())


def test_letters_that_no_face_has_are_told_and_not_drawn_as_boxes(bare):
    topic = "\u7121\u9650\u306e\u61a7\u308c"
    assert typefaces.settable(topic) == "" and set(typefaces.unset(topic)) == set(topic)
    made = paint(topic, 0)
    assert made.notes["finish"] == "type" and "pip install 'spectrogrand[faces]'" in made.notes["unset"]
    assert typefaces.settable("caf\u00e9 \u61a7") == "caf\u00e9"


def test_scripts_may_be_mixed_in_a_line_and_keep_their_faces(bare):
    line = "longing \u0932\u093e\u0932\u0938\u093e"
    assert [f.file.name for f, _ in typefaces.spans(line)] == ["DejaVuSans-Bold.ttf", "noto_sans_devanagari.ttf"]
    parts = [typefaces.length(word, 100) for word in line.split()]
    assert typefaces.length(line, 100) > sum(parts)
    assert typefaces.right_to_left("\u0634\u0648\u0642 abc") and not typefaces.right_to_left("abc \u0634\u0648\u0642")
