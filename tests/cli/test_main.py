"""What starting the program costs and needs: modules of the command that is meant, files for a thousand miners."""

from __future__ import annotations

import subprocess
import sys

import pytest

from minertui.cli import main
from tests.cli.conftest import terminal


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("words", [[], ["attach"], ["--ascii"], ["attach", "--theme", "light"]])
def test_the_screen_waits_for_no_other_command(words: list[str]):
    code = f"""
import sys
from minertui.cli import main
main.attach.run = lambda args: 0
assert main.main({words!r}) == 0
print(*(name for name in sys.modules if name.startswith("minertui.")))
"""
    loaded = python(code).split()
    assert "minertui.cli.attach" in loaded
    assert not [name for name in loaded if name.startswith("minertui.engine") or name == "minertui.cli.sweep"]


@pytest.mark.parametrize("words", [["--help"], ["--he"], ["-h"], ["--config", "x", "--help"]])
def test_help_knows_all_commands(words: list[str]):
    code = f"from minertui.cli.main import main\ntry:\n    main({words!r})\nexcept SystemExit:\n    pass"
    assert "restore" in python(code)


def test_the_engine_allows_itself_more_files_than_a_login_does():
    code = """
import resource
from minertui.cli.engine import allow_files
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
allow_files()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - (hard if 0 <= hard < 8192 else 8192))
"""
    assert python(code) == "0\n"


@pytest.mark.parametrize(
    ("words", "usage", "unknown"),
    [
        (["probe", "127.0.0.1", "--json"], "usage: minertui probe", "probe: error: unrecognized arguments: --json"),
        (["config", "check", "--quiet"], "usage: minertui config check", "unrecognized arguments: --quiet"),
        (["status", "--theme", "light"], "usage: minertui status", "unrecognized arguments: --theme light"),
        (["--quiet"], "usage: minertui [-h]", "minertui: error: unrecognized arguments: --quiet"),
    ],
)  # fmt: skip
def test_a_command_says_itself_what_it_does_not_know(capsys, words: list[str], usage: str, unknown: str):
    with pytest.raises(SystemExit) as ended:
        main.main(words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert usage in said
    assert unknown in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stat"], "minertui: error: argument COMMAND: there is no “stat”; did you mean status?"),
        (["config"], "minertui config: error: say which: check, path, edit"),
        (["config", "list"], "argument WHAT: there is no “list”; there are check, path, edit"),
        (["duco"], "minertui duco: error: say which: run, bench, address, balance"),
        (["tune"], "minertui tune: error: the following arguments are required: NAME"),
    ],
)
def test_a_word_that_is_missing_or_wrong_is_answered_with_those_there_are(capsys, words: list[str], said: str):
    with pytest.raises(SystemExit):
        main.main(words)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["tune", "garage", "-f", "abc"],
            [
                "minertui tune: error: argument -f/--frequency: “abc” is no",
                "    number: write 50 to 3000 MHz, such as 525",
            ],
        ),
        (
            ["sweep", "gar/age", "--config", "/nowhere"],
            ["minertui: 'gar/age' is neither an address nor the name of", "    a miner in the config"],
        ),
    ],
    ids=["argparse", "ours"],
)
def test_on_a_terminal_a_refusal_breaks_between_words(words: list[str], said: list[str]):
    with terminal("stderr", 58) as shown:
        try:
            code = main.main(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
    assert code in (1, 2)
    assert shown[-2:] == said
