"""Options that take a value: unit, range and default are told, by the values that hold; nonsense is one sentence."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from minertui.cli import guard, sweep
from minertui.cli.device_commands import _SLOWEST, _TARGET
from minertui.cli.main import main, parser
from minertui.cli.numbers import Number
from minertui.cli.plan_options import numeric, worded
from minertui.config_ranges import RANGES
from minertui.model.commands import SetFan
from minertui.model.plans import GuardPlan, Strategy, SweepPlan
from minertui.model.status import Ability
from tests.safety.values import ask, gamma, no, writes

MHZ = Number(50, 3000, "MHz", 525)
MV = Number(500, 2000, "mV", 1150, whole=True)


def actions(parser_: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every option and argument of every command."""
    for action in parser_._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from actions(inner)
        elif action.help != argparse.SUPPRESS:
            yield action


@pytest.mark.parametrize(
    ("number", "text", "said"),
    [
        (MHZ, "abc", "“abc” is no number: write 50 to 3000 MHz, such as 525"),
        (MHZ, "", "“” is no number: write 50 to 3000 MHz, such as 525"),
        (MHZ, "525,5", "“525,5” is no number: write 50 to 3000 MHz, such as 525"),
        (MHZ, "nan", "“nan” is no number: write 50 to 3000 MHz, such as 525"),
        (MHZ, "inf", "“inf” is no number: write 50 to 3000 MHz, such as 525"),
        (MHZ, "-5", "“-5” is too low: write 50 to 3000 MHz, such as 525"),
        (MHZ, "3000.1", "“3000.1” is too high: write 50 to 3000 MHz, such as 525"),
        (MV, "1150.5", "“1150.5” is no whole number: write 500 to 2000 mV, such as 1150"),
        (Number(0, example=7, whole=True), "-1", "“-1” is too low: write 0 or more, such as 7"),
        (Number(0.1, 100_000, "s", 2.5), "x", "“x” is no number: write 0.1 to 100000 s, such as 2.5"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_with_an_example(number: Number, text: str, said: str):
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        number(text)
    assert str(refused.value) == said
    assert number(f"{number.example:g}") == number.example, "its own example is allowed"


def test_a_whole_number_is_an_integer_and_the_ends_are_allowed():
    assert (MHZ("50"), MHZ("3000"), MHZ("487.5")) == (50, 3000, 487.5)
    assert type(MV("1150")) is int


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("tune garage -f abc", "argument -f/--frequency: “abc” is no number: write 50 to 3000 MHz, such as 525"),
        ("tune garage -v 1.1", "argument -v/--voltage: “1.1” is too low: write 500 to 2000 mV, such as 1150"),
        ("fan garage --manual full", "argument --manual: “full” is no number: write 0 to 100 %, such as 80"),
        ("sweep 10.0.0.1 --max-temp warm", "argument --max-temp: “warm” is no number: write 30 to 110 °C, such as 62"),
        ("guard 10.0.0.1 --stable 1h", "argument --stable: “1h” is no number: write 60 to 86400 s, such as 3600"),
        ("guard 10.0.0.1 --interval 0", "argument --interval: “0” is too low: write 1 to 86400 s, such as 300"),
        ("logs -n all", "argument -n/--lines: “all” is no number: write 0 to 5000, such as 100"),
        ("--speed fast", "argument --speed: “fast” is no number: write 0.1 to 1000, such as 60"),
    ],
)
def test_a_command_names_the_option(words: str, said: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {said}\n")


def test_no_number_of_any_command_is_read_otherwise_and_each_tells_its_range():
    found = [action for action in actions(parser()) if action.type is not None]
    assert not [action.dest for action in found if action.type in (int, float)]
    numbers = [(action.type, action) for action in found if isinstance(action.type, Number)]
    assert len(numbers) > 50
    for number, action in numbers:
        assert number.span in (action.help or "").replace("%%", "%"), action.dest


def test_every_option_that_takes_a_value_tells_what_holds_without_it():
    options = [action for action in actions(parser()) if action.option_strings and action.nargs is None]
    silent = {a.option_strings[-1] for a in options if not a.required and "default" not in (a.help or "")}
    assert silent == {"--manual", "--fault", "--pool-fault"}, "one way of two; what is off when it is not said"


def test_a_default_is_told_as_it_holds():
    told = numeric(SweepPlan(max_chip_temp_c=57.5), "max_chip_temp_c", "chip temperature that ends a point")
    low, high = RANGES["max_chip_temp_c"]
    assert told.help == f"chip temperature that ends a point, {low} to {high} °C (default: 57.5)"
    assert worded(SweepPlan(strategy=Strategy.GRID), "strategy", "how").help.endswith("(default: grid)")
    for option in sweep._OPTIONS.values():
        own = getattr(SweepPlan(), option.key)
        assert own is None or f"default: {own if isinstance(own, str) else f'{own:g}'})" in option.help, option.key
    for _, default, option in guard._OPTIONS.values():
        own = getattr(GuardPlan(), option.key) if default is None else default
        shown = f"; by BITAXE_IP {own:g})" if option.key in guard._NAMED else f"default: {own:g})" if own else ""
        assert shown in option.help, option.key


@pytest.mark.parametrize("number", [_TARGET, _SLOWEST])
def test_the_fans_ranges_are_those_of_safety(number: Number):
    def order(value: float) -> SetFan:
        return SetFan(auto=True, **{"target_c" if number is _TARGET else "min_pct": int(value)})

    status = gamma(abilities=frozenset(Ability))
    assert writes(ask(order(number.low), status))
    assert writes(ask(order(number.high), status))
    for value in (number.low - 1, number.high + 1):
        assert f"is outside {number.low}..{number.high}" in no(ask(order(value), status))
