"""A limit that a person lowers is meant for what runs, too: the miner goes under it, or it is said what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from minertui.config import Config
from minertui.engine import over_limits
from minertui.engine.alert_rules import judge
from minertui.engine.engine import Engine
from minertui.engine.journal import FOLDER, Entry, key_of
from minertui.engine.way_back import leads_to, within
from minertui.model.alerts import Severity
from minertui.model.commands import CommandRecord, Order, Outcome, OutcomeState, Rank, Tune
from minertui.model.fleet import Snapshot
from minertui.model.plans import GuardPlan, GuardView, Limits, Phase
from minertui.model.status import MinerStatus
from minertui.safety.limits import effective
from minertui.safety.settings import Settings
from tests.engine.bench import SWEEP, Bench
from tests.engine.hardware import GAMMA
from tests.engine.house import PLAN, House, Miner, job, miner, until
from tests.engine.test_guard_frontier import swept

pytestmark = pytest.mark.looptime


class Running:
    """A miner of 500 MHz and 1150 mV."""

    def __init__(self, house: House, engine: Engine) -> None:
        self.engine, self.it, self.folder = engine, house.miners["127.0.0.1:8001"], house.folder

    async def limit(self, seconds: float = 20, **limits: float) -> None:
        """The config is saved with these limits."""
        await self.engine.reload(Config(miner=(miner(limits=Limits(**limits)),)))  # type: ignore[arg-type]
        await asyncio.sleep(seconds)

    async def comes_to(self, mhz: float, mv: float) -> None:
        """Wound-on time does not wait for the disk's thread."""
        await until(lambda: self.at == (mhz, mv), 4000)

    @property
    def at(self) -> tuple[float, float]:
        return self.it.mhz, self.it.mv

    @property
    def alert(self) -> str:
        found = [alert for alert in self.engine.hub.fleet.alerts.values() if alert.rule == "over-limit"]
        return next((alert.text for alert in found if alert.until_s is None), "")

    def said(self, text: str) -> bool:
        return any(line.text == text for line in self.engine._book.newest("m1", 500))


@asynccontextmanager
async def running(folder: Path, **limits: float) -> AsyncIterator[Running]:
    house = House(folder)
    house.miners["127.0.0.1:8001"] = Miner("127.0.0.1:8001")
    engine = house.engine(miner(limits=Limits(**limits)))  # type: ignore[arg-type]
    await engine.open()
    await asyncio.sleep(6)
    yield Running(house, engine)
    await engine.close()


async def test_what_runs_is_lowered_to_a_limit_that_was_lowered(tmp_path: Path):
    async with running(tmp_path) as found:
        await found.limit(max_mhz=450)
        await found.comes_to(450, 1150)
        await until(lambda: found.said("lowered to 450 MHz / 1150 mV, because you lowered its limit"), 4000)
        assert not list((found.folder / FOLDER).glob("*.json")), "nothing is to be given back"
        assert [r.order.by for r in await found.engine.commands()] == ["config"]
        await found.limit(max_mhz=600)
        assert found.at == (450, 1150), "a higher limit raises nothing"


async def test_who_lowers_it_further_meanwhile_is_not_raised_to_the_limit(tmp_path: Path):
    async with running(tmp_path) as found:
        person = asyncio.create_task(found.engine.send(Order("p1", "m1", Tune(400.0))))
        await asyncio.sleep(0)
        await found.limit(max_mhz=450, seconds=120)
        assert (await person).outcome.ok
        assert found.at == (400, 1150)
        assert not found.said("lowered to 450 MHz / 1150 mV, because you lowered its limit")


async def test_what_was_over_it_before_or_is_set_elsewhere_is_told_and_left_alone(tmp_path: Path):
    async with running(tmp_path, max_mhz=450) as found:
        await asyncio.sleep(60)
        assert found.at == (500, 1150)
        assert found.alert == ("is set to 500 MHz, over the limit of 450 MHz; to lower it: minertui tune m1 -f 450")
        await found.limit(max_mhz=400)
        await found.comes_to(400, 1150)
        await until(lambda: found.alert == "", 4000)
        await until(lambda: found.said("lowered to 400 MHz / 1150 mV, because you lowered its limit"), 4000)
        found.it.mhz = 480.0
        await asyncio.sleep(60)
        assert found.at == (480, 1150)
        assert found.alert


async def test_less_voltage_needs_a_frequency_that_bears_it(tmp_path: Path):
    async with running(tmp_path) as found:
        await found.limit(max_mv=1095)
        assert found.at == (500, 1150), "nobody knows which"
        assert found.alert.endswith(
            "1150 mV, over the limit of 1095 mV; to lower it: minertui tune m1 -v 1095 -f MHZ, with a frequency that "
            "this voltage bears"
        )
        await swept(found.engine)
        await found.limit(max_mv=1090)
        await found.comes_to(455, 1089)  # proven on the way from 400 MHz at 1040 mV to 525 MHz at 1150 mV


async def test_a_guard_has_it_as_its_ceiling(tmp_path: Path):
    async with running(tmp_path) as found:
        await found.engine.start(GuardPlan("m1", stable_s=60))
        await asyncio.sleep(12)
        await found.limit(max_mhz=450)
        await found.comes_to(450, 1150)
        view = job(found.engine, "guard:m1").view
        assert isinstance(view, GuardView)
        assert view.plan.max_mhz == 450
        await asyncio.sleep(200)
        assert found.at == (450, 1150)
        await found.engine.stop("guard:m1")
        await until(lambda: job(found.engine, "guard:m1").phase is Phase.STOPPED, 4000)
        assert found.at == (450, 1150), "its way back ends there too"
        await found.limit(max_mhz=600)
        assert found.at == (450, 1150)


async def test_a_guard_keeps_a_limit_of_voltage_too_where_it_knows_a_frontier(tmp_path: Path):
    async with running(tmp_path) as found:
        await swept(found.engine)
        await found.engine.start(GuardPlan("m1"))
        await until(lambda: "holds 63 °C" in job(found.engine, "guard:m1").note, 4000)
        now = found.engine.hub.fleet
        over = replace(now.snapshots["m1"], limits=Limits(max_mv=1090))
        [said] = [signal.text for signal in judge(now, None, over) if signal.rule == "over-limit"]
        assert "; its guard lowers it if its frontier shows how; at once: minertui tune m1 -v 1090 -f MHZ" in said
        await found.limit(max_mv=1090)
        await found.comes_to(455, 1089)
        done = [r.order for r in await found.engine.commands()]
        assert {order.by for order in done} == {"guard:m1"}
        assert [order.command for order in reversed(done)] == [
            Tune(455, at_most=True),
            Tune(core_mv=1089, at_most=True),
        ]
        await until(lambda: found.alert == "", 4000)


async def test_a_guard_without_one_leaves_it_to_you(tmp_path: Path):
    async with running(tmp_path) as found:
        await found.engine.start(GuardPlan("m1"))
        await asyncio.sleep(12)
        await found.limit(60, max_mv=1090)
        assert found.at == (500, 1150)
        assert found.alert.startswith("is set to 1150 mV, over the limit of 1090 mV; to lower it: minertui tune m1")


async def test_a_sweep_goes_on_and_what_it_leaves_is_lowered(tmp_path: Path):
    async with running(tmp_path) as found:
        await found.engine.start(PLAN)
        await until(lambda: found.it.mhz > 500.0, 2000)
        await found.limit(5, max_mhz=450)
        assert not job(found.engine, "sweep:m1").phase.over
        await found.engine.stop("sweep:m1")
        await until(lambda: job(found.engine, "sweep:m1").phase.over, 4000)
        await until(lambda: found.it.mhz == 450, 4000)


async def test_a_miner_that_is_away_is_lowered_when_it_is_back(tmp_path: Path):
    async with running(tmp_path) as found:
        found.it.dead = True
        await found.limit(120, max_mhz=450)
        found.it.dead = False
        await found.comes_to(450, 1150)


class Stubborn:
    """An office whose miner runs 500 MHz whatever is ordered, and is read every 5 s."""

    records: Any = None
    limits, readonly, now_s, orders = Limits(), False, 0.0, 0

    def line(self, _: str) -> Any:
        return self

    def say(self, source: str, text: str, severity: Severity = Severity.INFO) -> None: ...

    def busy(self, _: str) -> bool:
        return False

    async def execute(self, order: Order) -> CommandRecord:
        self.orders += 1
        return CommandRecord(order, 0.0, Outcome(OutcomeState.UNKNOWN))

    async def goes_on(self, over: over_limits.OverLimits, seconds: float) -> int:
        """Orders that were given by then."""
        for _ in range(int(seconds / 5)):
            self.now_s += 5
            status = MinerStatus(frequency_mhz=500, core_mv=1150)
            over.took(Snapshot("m1", "axeos", "127.0.0.1", status=status, boot_s=self.now_s))
            await asyncio.sleep(0)
        return self.orders


async def test_one_that_never_shows_it_is_written_more_and_more_rarely():
    """Each write is one of its flash's."""
    office = Stubborn()
    over = over_limits.OverLimits(office, asyncio.ensure_future, lambda _: False)
    assert await office.goes_on(over, 600) == 0
    office.limits = Limits(max_mhz=450)
    assert await office.goes_on(over, 600) == 4  # at once, and after 1, 3 and 7 minutes
    assert await office.goes_on(over, 86_400) <= 4 + 3 + 24
    office.limits, before = Limits(max_mhz=440), office.orders
    assert await office.goes_on(over, 30) == before + 1, "another limit is meant anew"


async def test_one_that_may_not_be_written_is_asked_nothing_until_it_may():
    office = Stubborn()
    over = over_limits.OverLimits(office, asyncio.ensure_future, lambda _: False)
    await office.goes_on(over, 30)
    office.limits, office.readonly = Limits(max_mhz=450), True
    assert await office.goes_on(over, 3600) == 0
    office.readonly = False
    assert await office.goes_on(over, 30) == 1


async def test_a_sweep_that_began_meanwhile_is_not_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with running(tmp_path) as found:

        async def begins(*_: object) -> None:
            await found.engine.start(PLAN)

        monkeypatch.setattr(over_limits, "left_to", begins)
        await found.limit(max_mhz=450, max_mv=1095)
        await until(lambda: "sweep:m1" in found.engine.hub.fleet.jobs, 2000)
        await asyncio.sleep(30)
        assert not job(found.engine, "sweep:m1").phase.over
        assert {record.order.by for record in await found.engine.commands()} == {"sweep:m1"}


async def test_a_way_back_ends_at_a_limit_instead_of_never(tmp_path: Path):
    bench = Bench(tmp_path / "journal", limits=Limits(max_mhz=510))
    assert (await bench.do(Tune(450))).ok
    outcome = await bench.arbiter.conclude("garage", None, SWEEP)
    assert outcome.ok, outcome
    assert outcome.reason == (
        "at 510 MHz / 1150 mV, proven by two readings; the limits in force keep it from the 525 MHz / 1150 mV that it "
        "ran before"
    )
    assert (bench.at, bench.journal.entries()) == ((510, 1150), ())


async def test_a_way_back_over_a_cap_of_the_model_ends_too(tmp_path: Path):
    """Set at the miner's own page; to lead it back there was refused for ever, and it was owed for ever."""
    bench = Bench(tmp_path / "journal")
    bench.miner.set(frequency_mhz=525.0, actual_mhz=525.0, core_mv=1450.0, core_actual_mv=1450.0)
    assert (await bench.do(Tune(core_mv=1300))).ok
    outcome = await bench.arbiter.conclude("garage", None, SWEEP)
    assert outcome.ok, outcome
    assert "the limits in force keep it from the 525 MHz / 1450 mV" in outcome.reason
    assert (bench.at, bench.journal.entries()) == ((525, 1300), ())


@pytest.mark.parametrize(
    ("now", "limits", "becomes"),
    [
        (Settings(450, 1100), Limits(), Tune(525, 1150)),
        (Settings(450, 1100), Limits(max_mhz=600, max_mv=1200), Tune(525, 1150)),
        (Settings(450, 1100), Limits(max_mv=1120), Tune(450, 1100)),
        (Settings(450, 1150), Limits(max_mhz=500), Tune(500, 1150)),
        (Settings(510, 1150), Limits(max_mhz=500), Tune(510, 1150)),
        (Settings(600, 1150), Limits(max_mhz=500), Tune(525, 1150)),
        (Settings(600, 1100), Limits(max_mv=1120), Tune(525, 1100)),
        (Settings(450, 1200), Limits(max_mv=1120), Tune(525, 1150)),  # down, which needs no leave
        (Settings(None, None), Limits(max_mv=1120), Tune(525, None)),
    ],
)
def test_how_far_a_way_home_goes(now: Settings, limits: Limits, becomes: Tune):
    assert within(Tune(525, 1150), now, limits) == becomes


OF_POWER = "; the limits in force keep it from the 525 MHz / 1150 mV that it ran before"


@pytest.mark.parametrize(
    ("status", "limit_w", "said"),
    [
        ({}, 35.0, f"450 MHz / 1150 mV{OF_POWER}"),
        ({}, 38.0, f"480 MHz / 1150 mV{OF_POWER}"),
        ({"power_w": 30.0}, 38.0, "525 MHz / 1150 mV"),
        ({"core_mv": 1100.0}, 38.0, f"450 MHz / 1100 mV{OF_POWER}"),  # its voltage alone is too much
        ({"frequency_mhz": 600.0}, 20.0, "525 MHz / 1150 mV"),  # down
        ({"frequency_mhz": 600.0, "core_mv": 1100.0}, 30.0, f"525 MHz / 1100 mV{OF_POWER}"),
        ({"power_w": None}, 36.0, "525 MHz / 1150 mV"),
        ({"hashrate_ghs": 0.0, "power_w": 3.0}, 36.0, "525 MHz / 1150 mV"),
        ({"power_w": 44.0}, 40.0, "525 MHz / 1150 mV"),  # what it is built for, and it drew that before
    ],
)
def test_a_way_home_ends_at_your_own_limit_of_power(status: dict[str, float | None], limit_w: float, said: str):
    shown = replace(GAMMA, **{"frequency_mhz": 450.0, "core_mv": 1150.0, "power_w": 34.5, **status})
    found = Snapshot("m1", status=shown, limits=effective(Limits(max_power_w=limit_w), shown) or Limits())
    entry = Entry(key_of(found), "m1", "", Settings(525, 1150), ours=(Settings.of(shown),))
    assert leads_to(entry, found) == said


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (None, "525 MHz / 1150 mV"),
        (MinerStatus(frequency_mhz=600, core_mv=1200), "525 MHz / 1150 mV"),
        (
            MinerStatus(frequency_mhz=450, core_mv=1100),
            "500 MHz / 1150 mV; the limits in force keep it from the 525 MHz / 1150 mV that it ran before",
        ),
    ],
)
def test_where_a_way_home_ends_in_words(status: MinerStatus | None, said: str):
    shown = Snapshot("m1", status=status, limits=Limits(max_mhz=500))
    ours = () if status is None else (Settings.of(status),)
    assert leads_to(Entry(key_of(shown), "m1", "", Settings(525, 1150), ours=ours), shown) == said


async def test_an_order_over_it_is_refused_as_ever(tmp_path: Path):
    async with running(tmp_path) as found:
        await found.limit(max_mhz=450)
        outcome = (await found.engine.send(Order("o1", "m1", Tune(460), rank=Rank.PERSON))).outcome
        assert outcome.reason == "460 MHz is above the limit in force, 450 MHz"
