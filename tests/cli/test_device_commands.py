"""What a person orders is what is sent, and the exit code tells how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from uvicorn.protocols.http.h11_impl import H11Protocol

from minertui.api.client import ApiClient
from minertui.api.server import ApiServer
from minertui.cli import device_commands
from minertui.cli.device_commands import ASKS
from minertui.cli.main import parser
from minertui.model.commands import (
    Change,
    Command,
    CommandRecord,
    Identify,
    Order,
    Outcome,
    OutcomeState,
    Pause,
    Restart,
    Resume,
    SetFan,
    SetPools,
    Tune,
)
from minertui.model.errors import Unreachable
from minertui.model.status import PoolSetting
from minertui.tui.commands import BY_ID
from minertui.tui.commands.base import Danger
from tests.api.fake_link import STATUS, FakeLink
from tests.cli.conftest import Run

FIRST, SECOND = STATUS.pools


def orders(link: FakeLink) -> list[Order]:
    return [call[1] for call in link.calls if call[0] == "send"]


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        ("tune garage -f 575.5 -v 1150 --yes", Tune(575.5, 1150)),
        ("tune garage -f 575 -y", Tune(575)),
        ("fan garage --auto --target 60 --min 20 --yes", SetFan(auto=True, target_c=60, min_pct=20)),
        ("fan garage --manual 80 -y", SetFan(auto=False, pct=80)),
        ("restart garage --yes", Restart()),
        ("pause garage -y", Pause()),
        ("resume GARAGE", Resume()),
        ("identify garage", Identify()),
        (
            "pools garage --url stratum+tcp://new.example:1 --user me.garage --yes",
            SetPools((PoolSetting("new.example", 1, "me.garage"), SECOND)),
        ),
        ("pools garage --user me --yes", SetPools((PoolSetting("pool.example", 3333, "me"), SECOND))),
        ("pools garage --fallback-url f.example:2 -y", SetPools((FIRST, PoolSetting("f.example", 2, "x")))),
    ],
)
async def test_orders(server: ApiServer, link: FakeLink, run: Run, argv: str, command: Command) -> None:
    code, out, _ = await run(*argv.split())
    assert code == 0
    order = orders(link)[-1]
    assert (order.device, order.command, order.dry_run, order.confirmed) == ("garage", command, False, True)
    assert "garage: applied" in out
    assert "frequency: 600 MHz -> 575 MHz" in out
    assert all(earlier.dry_run for earlier in orders(link)[:-1])
    assert len({order.id for order in orders(link)}) == len(orders(link))


async def test_an_order_that_the_engine_took_and_never_answered_is_of_unknown_outcome(
    server: ApiServer, link: FakeLink, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = H11Protocol.connection_made

    async def dies(order: Order) -> CommandRecord:
        if not order.dry_run:
            for transport in there:
                transport.abort()
        return await sent(order)

    def made(self: H11Protocol, transport: asyncio.Transport) -> None:
        there.append(transport)
        real(self, transport)

    there, sent = list[asyncio.Transport](), link.send
    monkeypatch.setattr(H11Protocol, "connection_made", made)
    monkeypatch.setattr(link, "send", dies)
    code, _, err = await run("tune", "garage", "-f", "575", "-y")
    assert code == 3
    assert "garage: unknown: the engine at" in err
    assert "it may have been done or not" in err


async def test_whoever_breaks_off_is_told_that_the_engine_goes_on(
    server: ApiServer,
    link: FakeLink,
    places: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def slow(order: Order) -> CommandRecord:
        if not order.dry_run:
            taken.set()
            await over.wait()
        return await sent(order)

    taken, over, sent = asyncio.Event(), asyncio.Event(), link.send
    monkeypatch.setattr(link, "send", slow)
    args = parser().parse_args(["pause", "garage", "--yes"])
    async with ApiClient(places / "e.sock") as client:
        ordering = asyncio.create_task(device_commands._order(args, client, lambda *_: Pause(), ""))
        await taken.wait()
        ordering.cancel()
        await asyncio.wait([ordering])
        over.set()
    assert ordering.cancelled()
    assert "garage: it was sent, so the engine carries it out all the same" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("state", "code"), [(OutcomeState.APPLIED, 0), (OutcomeState.REFUSED, 1), (OutcomeState.UNKNOWN, 3)]
)
async def test_the_exit_code_tells(server: ApiServer, link: FakeLink, run: Run, state: OutcomeState, code: int) -> None:
    link.outcome = Outcome(state, "because of the test")
    got, out, err = await run("pause", "garage", "-y")
    assert got == code
    assert f"garage: {state.value}: because of the test" in (err if code else out)
    assert ("Look at the miner" in err) is (code == 3)


async def test_a_dry_run_sends_nothing_real(server: ApiServer, link: FakeLink, run: Run) -> None:
    code, out, _ = await run("tune", "garage", "-f", "575", "--dry-run")
    assert (code, [order.dry_run for order in orders(link)]) == (0, [True])
    assert "would be done" in out


class TestAsking:
    @pytest.mark.parametrize(("answer", "sent"), [("y\n", 2), ("yes\n", 2), ("n\n", 1), ("\n", 1), ("", 1)])
    async def test_shows_first_and_does_it_after_a_yes(
        self, server: ApiServer, link: FakeLink, run: Run, typed: Callable[[str], None], answer: str, sent: int
    ) -> None:
        typed(answer)
        code, out, _ = await run("tune", "garage", "-f", "575")
        assert len(orders(link)) == sent
        assert code == (0 if sent == 2 else 1)
        assert out.index("600 MHz -> 575 MHz") < out.index("Do this to garage?")

    async def test_without_a_terminal_it_wants_yes(self, server: ApiServer, link: FakeLink, run: Run) -> None:
        code, _, err = await run("restart", "garage")
        assert (code, [order.dry_run for order in orders(link)]) == (1, [True])
        assert "add --yes" in err

    @pytest.mark.parametrize("argv", ["tune -f 575", "fan --auto", "pools --user me", "restart", "pause"])
    async def test_what_can_cost_something_is_not_done_unasked(
        self, server: ApiServer, link: FakeLink, run: Run, typed: Callable[[str], None], argv: str
    ) -> None:
        name, *options = argv.split()
        typed("\n")
        code, out, _ = await run(name, "garage", *options)
        assert (code, [order.dry_run for order in orders(link)]) == (1, [True])
        assert out.endswith("Do this to garage? [y/N] Nothing was changed.\n")

    async def test_what_changes_no_setting_is_said_in_words(
        self, server: ApiServer, link: FakeLink, run: Run, typed: Callable[[str], None]
    ) -> None:
        link.outcome = Outcome(OutcomeState.APPLIED)
        typed("\n")
        _, out, _ = await run("pause", "garage")
        assert out.startswith("garage: would be done\n  stop hashing until resume or a reboot of the miner\nDo this")
        _, out, _ = await run("fan", "garage", "--auto", "--dry-run")
        assert out == "garage: would be done\n  nothing changes\n"

    def test_the_command_line_asks_for_what_the_screen_asks_for(self) -> None:
        for name in ("tune", "fan", "pools", "restart", "pause", "resume", "identify"):
            assert (name in ASKS) is (BY_ID[name].danger is not Danger.NONE), name

    async def test_what_would_be_refused_is_not_asked(
        self, server: ApiServer, link: FakeLink, run: Run, typed: Callable[[str], None]
    ) -> None:
        typed("y\n")
        link.outcome = Outcome(OutcomeState.REFUSED, "1300 mV is above the limit of 1250 mV")
        code, out, err = await run("tune", "garage", "-v", "1300")
        assert (code, len(orders(link)), "Do this" in out) == (1, 1, False)
        assert "above the limit" in err

    async def test_pools_show_old_and_new(self, server: ApiServer, link: FakeLink, run: Run, tmp_path: Path) -> None:
        link.outcome = Outcome(OutcomeState.APPLIED)
        (tmp_path / "password").write_text("canary-5\n")
        argv = ["--url", "new.example:1", "--password-file", tmp_path / "password", "--dry-run"]
        _, out, err = await run("pools", "garage", *argv)
        assert "pool 1: pool.example:3333 as bc1qex" in out
        assert "-> new.example:1 as bc1qex" in out
        assert "password: will be replaced" in out
        assert "pool 2" not in out
        assert "canary-5" not in out + err
        (order,) = orders(link)
        assert isinstance(order.command, SetPools)
        assert order.command.pools[0].password == "canary-5"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("tune garage", "say what to set"),
        ("fan garage --manual 80 --target 60", "go with --auto"),
        ("fan garage 70", "of garage is to run: --manual 70 for a fixed speed in per cent, or --auto"),
        ("fan garage", "is to run: --manual 80 for"),
        ("fan garage fast --auto", "is to run: --manual 80 for"),
        ("pools garage", "say what to store"),
        ("pools garage --url nonsense", "write the pool as HOST:PORT"),
        ("pools garage --url stratum+tcp://x:canary-9@a.example:1", "without a user and an @; the user goes into"),
        ("pools attic --url a.example:1", "name both its url and its user"),
        ("pools garage --url a:1 --password-file /not/there", "cannot read the password file /not/there"),
        ("pause garaeg", "there is no miner named “garaeg”; did you mean “garage”?"),
        ("pause zzz", "there are attic, garage"),
    ],
)
async def test_mistakes_are_explained(server: ApiServer, link: FakeLink, run: Run, argv: str, said: str) -> None:
    code, _, err = await run(*argv.split())
    assert (code, orders(link)) == (1, [])
    assert said in err
    assert "canary" not in err
    assert err.count("\n") == 1


async def test_an_error_of_the_engine_is_one_line(server: ApiServer, link: FakeLink, run: Run) -> None:
    link.fails = Unreachable("garage", "no answer")
    assert await run("pause", "garage") == (1, "", "minertui: garage: no answer\n")


async def test_an_empty_fleet_says_what_to_do(server: ApiServer, link: FakeLink, run: Run, places: Path) -> None:
    link.fleet = link.fleet.without("garage").without("attic")
    code, _, err = await run("pause", "garage")
    assert code == 1
    assert f"add a [[miner]] with “minertui config edit” ({places / 'config.toml'})" in err


async def test_no_engine_says_how_to_start_one(run: Run) -> None:
    code, out, err = await run("pause", "garage")
    assert (code, out) == (1, "")
    assert "no engine is running" in err
    assert "start it with “minertui”" in err


async def test_a_change_is_shown_as_the_read_back_proves_it(server: ApiServer, link: FakeLink, run: Run) -> None:
    link.outcome = Outcome(OutcomeState.APPLIED, changes=(Change("fan", "auto", "80 %"),))
    _, out, _ = await run("fan", "garage", "--manual", "80", "-y")
    assert out.endswith("garage: applied\n  fan: auto -> 80 %\n")


async def test_what_would_end_a_sweep_is_asked_first(server: ApiServer, link: FakeLink, run: Run, typed) -> None:
    link.outcome = Outcome(OutcomeState.APPLIED, "this ends the sweep that runs on it")
    for argv in (("pause",), ("resume",), ("fan", "--auto")):
        typed("n\n")
        code, out, _ = await run(argv[0], "garage", *argv[1:])
        assert code == 1
        assert "this ends the sweep that runs on it" in out
        assert "Nothing was changed." in out
    assert all(order.dry_run for order in orders(link))
