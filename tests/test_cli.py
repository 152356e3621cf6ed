"""Every command answers, and wrong usage is one line with exit code 2."""

import inspect
import json

import pytest

from spectrogrand import __version__, registry
from spectrogrand.__main__ import COMMANDS, main
from spectrogrand.runs.listing import options


def said(capsys, *words):
    code = main(list(words))
    out = capsys.readouterr()
    return code, out.out, out.err


def test_help_names_every_command(capsys):
    code, out, _ = said(capsys, "--help")
    assert code == 0
    assert all(f"spectrogrand {c} " in out for c in COMMANDS)
    assert said(capsys)[0] == 2


def test_version(capsys):
    assert said(capsys, "--version")[:2] == (0, __version__ + "\n")


def test_the_list_holds_every_packaged_plugin(capsys):
    code, out, _ = said(capsys, "list", "--json")
    assert code == 0
    rows = {(r["kind"], r["name"]): r for r in json.loads(out)}
    assert {(k, n) for k in registry.KINDS for n in registry._files(k)} <= set(rows)
    assert all(r["summary"] and r["licence"] and r["state"] for r in rows.values() if "toy" not in r["name"])
    assert rows["generators", "house_synth"]["state"] == "ready"
    assert "sliced_transport" in said(capsys, "list", "stylizers")[1]


def test_one_plugin_is_listed_with_all_its_options(capsys):
    code, out, _ = said(capsys, "list", "sliced_transport", "--json")
    row = json.loads(out)
    taken = inspect.signature(registry.get("stylizers", "sliced_transport")).parameters
    assert code == 0 and row["kind"] == "stylizers" and row["state"] == "ready"
    assert [o["option"] for o in row["options"]] == list(taken)
    assert all(o["what"] for o in row["options"]), "each is described"
    assert "duration" in said(capsys, "list", "house_synth")[1]


def test_every_option_of_every_own_plugin_is_described():
    bare = [
        (kind, name, row["option"])
        for kind in registry.KINDS
        for name in registry._files(kind)
        for row in options(kind, name)
        if not row["what"]
    ]
    assert not bare


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rum"], "no command 'rum'; did you mean 'run'?"),
        (["list", "scorer"], "did you mean 'scorers'?"),
        (["table"], "which runs?"),
        (["table", "nowhere"], "no folder nowhere"),
        (["table", ".", "--cvs"], "did you mean '--csv'?"),
        (["convert", "one.pth"], "say which file becomes which"),
        (["evaluate", "nowhere.mp4"], "nothing at 'nowhere.mp4'"),
        (["run", "a ship", "topic=rain"], "the topic is given already: write name=value"),
    ],
)
def test_wrong_usage_is_one_line(capsys, words, message):
    code, out, err = said(capsys, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1
