"""Senses: what words of fifteen languages mean to a painter beside the names of things: relations, weather, hours, grounds."""

from __future__ import annotations

import re
from pathlib import Path

DATA = Path(__file__).parents[3] / "data" / "things"


def _sections() -> dict[str, dict[str, str]]:
    """Section by section {"word": "meaning"} of `senses.txt`."""
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in (DATA / "senses.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            meaning, _, words = line.partition(": ")
            section.update(dict.fromkeys(words.split(", "), meaning))
    return found


_TABLES = _sections()
RELATIONS = _TABLES["relations"]
"""How the thing before stands to the thing after."""
AIR = _TABLES["air"]
"""Weather and hours."""
GROUNDS = _TABLES["grounds"]
"""Grounds on which things stand."""
COUNTS = {word: int(count) for word, count in _TABLES["counts"].items()}
COLOUR_WORDS = _TABLES["colours"]
ALIASES = _TABLES["shapes"]
"""Words whose best picture the table of the model does not choose: by hand, checked against the outlines."""
MANNERS = _TABLES["manners"]
"""What a thing is like, drawn on the thing: "broken", "aloft", "large", "small"."""
EMBLEMS = _TABLES["emblems"]
"""Words that no thing shows by itself, and the small outline that stands beside it for them."""
STOP = frozenset(_TABLES["no meaning"])
"""Words that carry no meaning of their own."""
NO_THINGS = frozenset(_TABLES["no picture"])
"""Words of meaning that have no picture of their own: told as missed, never drawn as what a model finds nearest to them."""

SKY = re.compile(
    r"\b(moon|sun|star|stars|cloud|clouds|rainbow|comet|planet|meteor|glowing star|sparkles|eclipse|shooting)\b(?!flower)"
)
AIRBORNE = re.compile(
    r"balloon|airplane|helicopter|rocket|flying|saucer|ufo|kite|parachute|butterfly|\bbee\b|honeybee|bird|eagle|dove|bat$|"
    r"dragonfly|"
    r"satellite|drone|superhero|fairy|angel|airship|feather|mosquito|\bfly\b|snowflake|firework|bubble|"
    r"leaf flutter|seagull|phoenix"
)
AQUATIC = re.compile(
    r"whale|fish|dolphin|octopus|shark|squid|jellyfish|\bboat|sailboat|ship$|ferry|submarine|seal|crab|lobster|shrimp|"
    r"canoe|anchor|coral|water wave|turtle|swan|kayak|sail boat"
)
BELOW_WATER = re.compile(r"whale|fish|dolphin|octopus|shark|squid|jellyfish|submarine|coral|shrimp|lobster")
HABITATS = (
    (re.compile(r"camel|cactus|scorpion|pyramid|lizard|snake"), "dunes"),
    (re.compile(r"planet|rocket|astronaut|saucer|ufo|satellite|alien|comet|telescope|space"), "space"),
    (
        re.compile(r"\bcar\b|car |automobile|taxi|bus|traffic|motor|scooter|truck|bicycle|tram|metro|saxophone|robot"),
        "city",
    ),
    (re.compile(r"lighthouse|anchor|penguin|palm|beach|island"), "sea"),
    (
        re.compile(r"wolf|mountain|goat|eagle|castle|train|locomotive|dragon|t rex|sauropod|volcano|llama|bear"),
        "mountains",
    ),
    (
        re.compile(r"fox|owl|deer|mushroom|hedgehog|squirrel|badger|raccoon|tree|leaf|witch|unicorn|boar|chipmunk"),
        "forest",
    ),
    (
        re.compile(
            r"cow|horse|sheep|ram|rabbit|butterfly|flower|tulip|rose|bee|snail|ladybug|tractor|pig|rooster|duck|cat|dog"
        ),
        "meadow",
    ),
)
CONTAINERS = re.compile(
    r"box|bowl|cup|basket|nest|bathtub|boat|pot\b|glass|bucket|bag|cage|car\b|automobile|bed|shoe|hat|tub|beverage"
)
RIDDEN = re.compile(
    r"^(?:horse|camel|two hump camel|elephant|dragon|donkey|ox|cow|zebra|llama|moose|deer|goat|bison|whale|mammoth|"
    r"sauropod|t rex|tiger|spouting whale|dolphin|unicorn|motorcycle|motor scooter|bicycle)$"
)
"""On which a person rides instead of standing."""
WORN = re.compile(r"dress$|coat$|shirt$|suit$|jacket|kimono|gown|sari$|clothes$|uniform$|tuxedo$|robe$")
CANOPIES = re.compile(r"umbrella|tree|rainbow|bridge|balloon|saucer|cloud|moon|sun|star|mushroom|tent|beach")

SIZES = (
    (3.2, ("mountain|volcano|lighthouse|castle|cathedral|tower|skyscraper|ferris|statue|stadium|temple|"
        "church|mosque")),
    (2.3, ("whale|ship|ferry|t rex|sauropod|dragon|rocket|airballoon|house|tree|locomotive|train|airplane|"
        "windmill|bridge|barn|sail boat")),
    (1.6, ("elephant|giraffe|mammoth|helicopter|bus|truck|tractor|car|automobile|sailboat|saucer|camel|palm|"
        "cactus|piano|keyboard|hippo|rhino|submarine")),
    (1.25, ("horse|bear|lion|tiger|cow|ox|gorilla|robot|person|man|woman|astronaut|knight|wizard|door|"
        "bicycle|motor|shark|dolphin|deer|moose|zebra")),
    (0.8, ("cat|dog|fox|wolf|rabbit|penguin|owl|duck|swan|goat|sheep|pig|monkey|octopus|guitar|violin|"
        "umbrella|balloon|skull|chair|turtle|fish")),
    (0.6, ("butterfly|bee|bird|snail|flower|rose|tulip|mouse|frog|hat|book|cup|beverage|key|heart|ladybug|"
        "leaf|mushroom|spider|ant|apple|pizza|candle")),
)  # fmt: skip
_SIZES = tuple((size, re.compile(rf"\b(?:{names})")) for size, names in SIZES)

NATURAL = tuple(
    (re.compile(rf"\b(?:{names})"), colour)
    for names, colour in (
        ("fox|tiger|orange|carrot|pumpkin|jack|basketball|goldfish|tropical fish", "orange"),
        (("fire|strawberry|cherry|cherries|apple|tomato|ladybug|lobster|crab|heart|rose|fire engine|"
        "octopus|ant|santa|drop of blood"), "red"),
        (("lion|giraffe|camel|sun|star|bee|honeybee|banana|cheese|lemon|duck|chick|trumpet|saxophone|"
        "sunflower|crown|taxi|bell|school"), "yellow"),
        (("frog|crocodile|t rex|sauropod|dragon|cactus|tree|evergreen|turtle|snake|lizard|leaf|herb|clover|"
        "caterpillar|broccoli|cucumber|alien|tractor|beetle"), "green"),
        ("whale|dolphin|water|droplet|fish|shark|butterfly|jeans|blue|gem|submarine|penguin|peacock", "blue"),
        ("grapes|eggplant|squid|unicorn|crystal|wizard|mage|jellyfish|alien monster", "purple"),
        (("pig|flamingo|cherry blossom|doughnut|brain|tulip|hibiscus|flower|ballet|bow|cupcake|axolotl"), "pink"),
        (("elephant|wolf|mouse|koala|hippo|rhino|robot|raccoon|locomotive|train|castle|hammer|key|moai|"
        "mammoth|helicopter"), "grey"),
        (("horse|bear|dog|deer|monkey|violin|guitar|coffee|beverage|cow|owl|brown|chestnut|bread|squirrel|"
        "hedgehog|wood|snail|kangaroo|camel|barrel|beaver|teddy"), "brown"),
        (("ewe|rabbit|swan|ghost|skull|polar|snowman|sheep|goat|dove|unicorn|cloud|tooth|sailboat|tea|egg|milk|"
        "lighthouse|bone|llama|musical keyboard|piano|zebra|panda"), "white"),
        ("bat|spider|crow|raven|top hat|black|gorilla|bomb|tuxedo", "charcoal"),
    )
)  # fmt: skip
"""Colours that things have where nobody says otherwise."""


def size_of(name: str) -> float:
    """How large a thing is beside others, 1 for a person: compressed, so that a butterfly beside a whale is still seen.

    >>> size_of("elephant") > size_of("cat") > size_of("butterfly")
    True
    """
    return next((size for size, names in _SIZES if names.search(name)), 1.0)


def colour_of(name: str) -> str | None:
    """The colour that a thing has by nature, None where it may have any."""
    return next((colour for names, colour in NATURAL if names.search(name)), None)


def habitat_of(name: str) -> str | None:
    """The ground on which a thing stands by nature, None where it stands anywhere."""
    if AQUATIC.search(name):
        return "sea"
    return next((ground for names, ground in HABITATS if names.search(name)), None)
