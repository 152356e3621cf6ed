"""Names become classes lazily, and everything that can go wrong with a plug-in is one clear line."""

import subprocess
import sys
import warnings

import pytest

from spectrogrand import Audio, Card, Gate, Generator, Topic, build, errors, get, names, register, registry
from spectrogrand.errors import ConfigError, PluginError, UnknownName

CARD = Card("a plug-in for tests")


def packaged():
    return {k: v for k, v in registry._classes.items() if v.__module__.startswith("spectrogrand.")}


@pytest.fixture(autouse=True)
def clean():
    """Toys that other test modules registered do not exist here, and what a test registers is forgotten after it."""
    before, ours = dict(registry._classes), packaged()
    registry._classes.clear()
    registry._classes.update(ours)
    registry._entries.cache_clear()
    yield
    ours = packaged()  # files that the test imported stay imported, so their classes stay registered
    registry._classes.clear()
    registry._classes.update({**before, **ours})
    registry._entries.cache_clear()


def gate(**body):
    return type(
        "Test", (Gate,), {"card": CARD, "artefact": Audio, "check": lambda self, batch: [None] * len(batch), **body}
    )


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a package with entry points on the path, as pip would."""

    def put(entry_points, **modules):
        info = tmp_path / "stranger-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[spectrogrand.plugins]\n" + entry_points)
        for name, source in modules.items():
            (tmp_path / f"{name}.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)

    return put


STRANGER = """
from spectrogrand import Audio, Card, Gate
class Loud(Gate):
    card, artefact = Card("fails everything"), Audio
    def __init__(self, level=0.5):
        self.level = level
    def check(self, batch):
        return ["is loud"] * len(batch)
"""


@pytest.mark.parametrize("kind, near", [("scorer", "did you mean 'scorers'?"), ("", "known: classifiers, embedders")])
def test_an_unknown_kind_is_named_with_the_nearest(kind, near):
    for ask in (lambda: names(kind), lambda: get(kind, "x"), lambda: build(kind, "x")):
        with pytest.raises(UnknownName) as caught:
            ask()
        assert near in str(caught.value)


def test_an_unknown_name_is_answered_with_the_nearest_and_all_names():
    with pytest.raises(
        UnknownName, match=r"no gates 'silense'; did you mean 'silence'\? \(known: .*clipping, .*too_quiet\)"
    ):
        build("gates", "silense")
    with pytest.raises(UnknownName, match=r"no gates 'qqqqqq'; known: blank_picture, "):
        get("gates", "qqqqqq")


def test_an_unknown_option_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match=r"gates 'silence' has no option 'flor'; did you mean 'floor'\?"):
        build("gates", {"name": "silence", "flor": -50})


def test_a_missing_option_is_named():
    register("picky")(gate(__init__=lambda self, path, mode="a": None))
    with pytest.raises(ConfigError, match="gates 'picky' needs path: set path="):
        build("gates", {"name": "picky", "path": None})


@pytest.mark.parametrize("config", [{}, {"name": None}, {"name": 3}, {"floor": 1}])
def test_a_config_without_a_name_is_refused(config):
    with pytest.raises(ConfigError, match=r"a gates config needs a name: \{name: ...\}, one of blank_picture"):
        build("gates", config)


def test_build_stores_every_setting_and_leaves_the_config_alone():
    config = {"name": "clipping", "run": 5}
    made = build("gates", config)
    assert made.settings == {"name": "clipping", "share": 0.001, "level": 0.999, "run": 5}
    assert config == {"name": "clipping", "run": 5} and (made.kind, made.name, made.run) == ("gates", "clipping", 5)


def test_a_taken_name_is_refused_naming_both():
    register("mine")(gate())
    other = gate(__qualname__="Other")
    with pytest.raises(PluginError, match="gates 'mine' is registered twice: by .*Test and by .*Other"):
        register("mine")(other)


def test_a_builtin_is_never_shadowed():
    with pytest.raises(
        PluginError, match="gates 'silence' is registered twice: by spectrogrand.plugins.gates.silence.Silence"
    ):
        register("silence")(gate())


def test_one_name_may_serve_two_kinds():
    register("mine")(gate())

    @register("mine")
    class Mine(Generator):
        card, source, artefact = CARD, Topic, Audio

        def generate(self, sources, seeds):
            return []

    assert get("gates", "mine") is not get("generators", "mine") is Mine


def test_a_class_without_interface_or_card_is_refused():
    with pytest.raises(PluginError, match="Plain implements none of the interfaces: subclass one of classifiers, "):
        register("plain")(type("Plain", (), {"card": CARD}))
    with pytest.raises(PluginError, match=r"gates 'bare' has no card: set the class attribute card = Card\("):
        register("bare")(type("Bare", (Gate,), {"check": None}))


def test_an_interface_left_unfinished_cannot_be_built():
    register("half")(type("Half", (Gate,), {"card": CARD, "artefact": Audio}))
    with pytest.raises((TypeError, PluginError), match="check"):
        build("gates", "half")


def test_a_strangers_plugin_is_found_loaded_late_and_built(install):
    install("gates.loud = stranger_loud:Loud\n", stranger_loud=STRANGER)
    assert "loud" in names("gates") and "stranger_loud" not in sys.modules
    made = build("gates", {"name": "loud", "level": 0.1})
    assert made.check([0, 0]) == ["is loud"] * 2 and made.name == "loud" and made.level == 0.1


BROKEN = [
    ("raise RuntimeError('no licence key')", "RuntimeError: no licence key"),
    ("import a_module_that_is_not_there", "ModuleNotFoundError: No module named 'a_module_that_is_not_there'"),
    ("def :", "SyntaxError: invalid syntax"),
    ("x = 1", "AttributeError"),
]


@pytest.mark.parametrize("source, reason", BROKEN)
def test_a_broken_stranger_is_named_when_asked_for_and_harms_nobody_else(install, source, reason):
    install("gates.broken = stranger_broken:Broken\n", stranger_broken=source)
    sys.modules.pop("stranger_broken", None)
    assert {"broken", "silence"} <= set(names("gates"))
    with pytest.raises(PluginError) as caught:
        build("gates", "broken")
    assert str(caught.value).startswith("plug-in gates 'broken' (stranger_broken:Broken) fails to import: ")
    assert reason in str(caught.value)
    assert build("gates", "silence").name == "silence"


def test_a_broken_stranger_is_one_row_of_the_list(install):
    from spectrogrand.runs.listing import rows

    install("gates.broken = stranger_row:Broken\n", stranger_row="raise OSError('gone')")
    sys.modules.pop("stranger_row", None)
    states = {r["name"]: r["state"] for r in rows(["gates"])}
    assert "OSError: gone" in states["broken"] and states["silence"] == "ready"


def test_entry_points_with_odd_or_taken_names_are_reported_and_skipped(install):
    install("loud = stranger_loud:Loud\nsinks.loud = stranger_loud:Loud\ngates.silence = stranger_loud:Loud\n")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert names("gates") == sorted(registry._files("gates"))
    told = sorted(str(w.message) for w in seen)
    assert told == [
        "entry point 'gates.silence' (stranger_loud:Loud) skipped: the name is taken",
        "entry point 'loud' (stranger_loud:Loud) skipped: call it <kind>.<name>",
        "entry point 'sinks.loud' (stranger_loud:Loud) skipped: call it <kind>.<name>",
    ]
    assert build("gates", "silence").__class__.__module__ == "spectrogrand.plugins.gates.silence"


def test_a_file_that_registers_nothing_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "_files", lambda kind: {"empty": "spectrogrand.plugins.gates.empty"})
    monkeypatch.setitem(sys.modules, "spectrogrand.plugins.gates.empty", sys)
    with pytest.raises(
        PluginError, match=r"the module of gates 'empty' registers no such name: put @register\('empty'\)"
    ):
        get("gates", "empty")


def test_names_are_found_without_importing_any_plugin():
    code = (
        "import sys; from spectrogrand.registry import KINDS, names; print(sum(len(names(k)) for k in KINDS),"
        "[m for m in sys.modules if m.count('.') > 1 and m.startswith('spectrogrand.')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.endswith(" []\n") and int(out.split()[0]) >= 20


def test_nearest_lists_all_names_in_order():
    assert errors.nearest("a", ["c", "b", "c"]) == "known: b, c"


def test_require_gives_the_install_line():
    with pytest.raises(
        errors.MissingExtra, match=r"drumming needs no_such_module, .*pip install 'spectrogrand\[models\]'"
    ):
        errors.require("no_such_module", "models", "drumming")


@pytest.fixture
def any_plugins(monkeypatch):
    monkeypatch.setenv("SPECTROGRAND_PLUGINS", "all")
    yield
    monkeypatch.setenv("SPECTROGRAND_PLUGINS", "all")
    registry.allow("all")


@pytest.mark.parametrize(
    ("which", "there"),
    [
        ("all", True),
        ("none", False),
        (["stranger"], True),
        ("gates.loud", True),
        ("[stranger,other]", True),
        ("other", False),
    ],
)
def test_plug_ins_of_other_packages_are_looked_at_only_where_allowed(any_plugins, install, tmp_path, which, there):
    mark = tmp_path / "imported"
    install("gates.loud = stranger_loud:Loud\n", stranger_loud=f"open({str(mark)!r}, 'w')\nclass Loud: pass\n")
    registry.allow(which)
    assert ("loud" in registry.names("gates")) is there
    if not there:
        with pytest.raises(UnknownName):
            registry.get("gates", "loud")
        assert not mark.exists()


@pytest.mark.parametrize("which", ["", [], None, "all,mine", ["a b"], "a;b"])
def test_what_may_be_looked_at_is_said_in_one_way(which):
    with pytest.raises(ConfigError, match="plugins is all, none or a list"):
        registry.allow(which)
