from __future__ import annotations

import msgspec
import pytest

from minertui.model.fleet import Snapshot
from minertui.model.plans import Phase
from minertui.tui.widgets.glyphs import UNICODE
from minertui.tui.widgets.standing import sign_meanings, standing
from tests.tui import pictures


def miner(recent: tuple[float, ...], **status: float | None) -> Snapshot:
    base = pictures.snapshot(0)
    assert base.status is not None
    changed = msgspec.structs.replace(base.status, **{"expected_ghs": 1000.0, "hashrate_ghs": 1000.0, **status})
    return msgspec.structs.replace(base, status=changed, recent_ghs=recent)


@pytest.mark.parametrize("now", [0.0, 500.0, 1000.0, 1500.0])
def test_one_reading_says_nothing_about_how_fast_a_miner_is(now: float) -> None:
    assert standing(miner((1000.0,) * 10, hashrate_ghs=now), UNICODE)[1] == "ok"
    assert standing(miner((700.0,) * 10, hashrate_ghs=now), UNICODE) == ("!", "slow", "warn")


@pytest.mark.parametrize(
    ("recent", "status", "word"),
    [
        ((1000.0, 700.0, 700.0, 700.0, 700.0, 700.0), {}, "slow"),
        ((700.0, 700.0, 700.0, 700.0, 950.0), {}, "ok"),  # just told to run faster: the last minute is well
        ((700.0,) * 10, {"uptime_s": 120.0}, "ok"),  # warming up
        ((700.0,) * 10, {"expected_ghs": None}, "ok"),
        ((), {"hashrate_10m_ghs": 700.0}, "slow"),  # the engine is new, the miner remembers
        ((), {"hashrate_10m_ghs": None}, "ok"),
    ],
)
def test_slow_is_a_matter_of_minutes(recent: tuple[float, ...], status: dict[str, float | None], word: str) -> None:
    assert standing(miner(recent, **status), UNICODE)[1] == word


def test_errors_of_one_reading_do_not_change_the_state() -> None:
    assert standing(miner((1000.0,) * 10, error_pct=3.0), UNICODE)[1] == "ok"


def test_only_signs_that_are_seen_are_explained() -> None:
    sweep, guard = pictures.running_sweep("a"), pictures.running_guard("b")
    failed, stopped = (msgspec.structs.replace(guard, phase=phase) for phase in (Phase.FAILED, Phase.STOPPED))
    assert sign_meanings([sweep, guard]) == ["S sweep", "G guard"]
    assert sign_meanings([failed, sweep]) == ["g guard failed", "S sweep"]
    assert sign_meanings([stopped]) == []
