from __future__ import annotations

import statistics

import pytest

from minertui.model.errors import ConfigError
from minertui.model.status import MinerStatus
from minertui.safety.samples import overheated
from minertui.sim.axeos_board import Board
from minertui.sim.axeos_models import FAMILIES, Phase
from minertui.sim.axeos_reading import read
from minertui.sim.axeos_routes import Request, answer
from minertui.wire.axeos.info import parse_info


def running(family: str = "gamma", **options: object) -> Board:
    board = Board(family, **{"seed": 3, **options})  # type: ignore[arg-type]
    board.settle()
    return board


def set_to(board: Board, mhz: float | None = None, mv: int | None = None, wait_s: float = 30) -> None:
    if mv is not None:
        board.store("coreVoltage", mv)
    if mhz is not None:
        board.store("frequency", float(mhz))
    board.advance(wait_s)


@pytest.mark.parametrize("seed", range(20))
def test_a_stock_gamma_is_stable_at_60_degrees_and_15_to_20_joules(seed: int) -> None:
    truth = running(seed=seed).truth()
    assert 1040 < truth.hashrate_ghs < 1100
    assert 15 < truth.power_w / truth.hashrate_ghs * 1000 < 20
    assert truth.chip_temp_c == pytest.approx(60, abs=3)
    assert truth.error_pct < 0.5
    assert truth.need_mv(525) < 1150


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_at_stock_holds_its_hashrate_without_overheating(family: str) -> None:
    board = running(family)
    expected = board.nvs["frequency"] * board.family.chip.cores * board.family.chips / 1000
    assert board.truth().hashrate_ghs > 0.94 * expected
    assert board.judge.overheats == 0
    assert board.truth().power_w < board.family.max_power_w


def test_more_voltage_helps_until_saturation() -> None:
    silicon = Board("gamma", seed=3).silicon
    need = silicon.need_mv(700)
    ratios = [silicon.point(700, need + extra).ratio for extra in (-60, -20, 0, 30)]
    assert ratios == sorted(ratios)
    assert ratios[0] < 0.75
    assert ratios[2] == pytest.approx(0.95, abs=0.03)
    assert ratios[3] > 0.98
    saturated = [silicon.point(1000, mv).ratio for mv in (1450, 1600, 2000)]
    assert max(saturated) < 0.94
    assert max(saturated) - min(saturated) < 0.02


def test_errors_and_lost_hashrate_go_together_as_measured() -> None:
    silicon = Board("gammaturbo", seed=1).silicon
    points = [silicon.point(525, mv) for mv in range(950, 1200, 2)]
    assert all(p.ratio >= 0.95 for p in points if p.error_pct < 0.4)
    assert statistics.mean(p.ratio for p in points if 1 < p.error_pct < 2) == pytest.approx(0.78, abs=0.05)
    assert statistics.mean(p.ratio for p in points if p.error_pct > 2) < 0.65


def test_power_grows_with_voltage_squared_and_clock() -> None:
    silicon = Board("gamma", seed=3).silicon
    assert silicon.core_w(525, 1250) / silicon.core_w(525, 1150) == pytest.approx((1250 / 1150) ** 2, rel=0.03)
    assert silicon.core_w(525, 1150, 90) > silicon.core_w(525, 1150, 60)


def test_the_clock_ramps_6_25_mhz_per_100_ms() -> None:
    board = running()
    set_to(board, 600, wait_s=0.6)
    assert 550 < board.actual_mhz < 575
    board.advance(0.8)
    assert board.actual_mhz == 600


def test_old_firmware_waits_for_its_loop_or_for_a_restart() -> None:
    slow, ancient = running(firmware="v2.7.0"), running("ultra", firmware="v2.1.3")
    set_to(slow, 550, wait_s=2.5)
    assert slow.actual_mhz == 550
    set_to(ancient, 500, wait_s=60)
    assert ancient.actual_mhz == 485
    ancient.restart()
    ancient.advance(60)
    assert ancient.actual_mhz == 500


def test_the_regulator_refuses_once_and_only_the_actual_voltage_shows_it() -> None:
    board = running()
    set_to(board, mv=2100)
    assert board.nvs["coreVoltage"] == 2100
    assert board.core_mv == 1150
    assert read(board).core_mv < 1160


def test_a_single_write_that_lowers_both_undervolts_and_two_in_order_do_not() -> None:
    careless, careful = running(), running()
    for board in (careless, careful):
        set_to(board, 800, 1300)
    low_mv = int(careful.truth().need_mv(500)) + 15
    assert careful.judge.undervolt_moments == 0
    set_to(careless, 500, low_mv)
    set_to(careful, 500)
    set_to(careful, mv=low_mv)
    assert careless.judge.order_faults == 1
    assert careless.judge.undervolt_s > 0
    assert careful.judge.undervolt_moments == 0


def test_the_judge_remembers_the_highest_settings() -> None:
    board = running()
    set_to(board, 640, 1210)
    set_to(board, 500, 1100)
    assert (board.judge.max_mhz, board.judge.max_mv) == (640, 1210)
    assert board.judge.flash_writes == 4
    board.store("frequency", 500.0)
    assert board.judge.flash_writes == 4


def test_noise_of_the_moment_is_5_to_18_percent_and_much_less_over_a_minute() -> None:
    board = running()
    now, minute = [], []
    for _ in range(300):
        board.advance(5)
        reading = read(board)
        now.append(reading.hashrate_ghs)
        minute.append(reading.mean_1m_ghs)
    cv = statistics.stdev(now) / statistics.mean(now)
    assert 0.04 < cv < 0.18
    assert statistics.stdev(minute) / statistics.mean(minute) < cv / 3
    assert statistics.mean(now) == pytest.approx(board.truth().hashrate_ghs, rel=0.03)


def test_averages_stand_still_while_nothing_is_hashed() -> None:
    board = running()
    before = read(board).mean_1m_ghs
    board.paused = True
    board.advance(300)
    after = read(board)
    assert (after.hashrate_ghs, after.expected_ghs, after.temp_c) == (0, 0, -1)
    assert after.mean_1m_ghs == pytest.approx(before, rel=0.1)


def test_a_restart_is_down_20_s_then_starts_slowly_and_keeps_its_settings() -> None:
    board = running()
    set_to(board, 490, 1100)
    board.restart(after_s=1)
    board.advance(5)
    assert not board.online
    board.advance(20)
    assert board.online
    assert read(board).hashrate_ghs == 0
    assert read(board).temp_c == -1
    board.advance(40)
    assert board.truth().hashing
    assert board.actual_mhz == 490
    assert board.uptime_s < 60


def test_overheat_before_2_11_reboots_and_stays_crippled() -> None:
    board = running(firmware="v2.10.1")
    board.faults.add("overheat")
    board.advance(3)
    wanted = {"frequency": 50.0, "coreVoltage": 1000, "manualFanSpeed": 100, "autofanspeed": 0, "overheat_mode": 1}
    assert {key: board.nvs[key] for key in wanted} == wanted
    board.advance(600)
    assert board.judge.reboots == 1
    assert board.actual_mhz == 50


@pytest.mark.parametrize(("firmware", "flag"), [("v2.12.2", True), ("v2.15.3", False)])
def test_overheat_from_2_11_cools_and_resumes_100_lower(firmware: str, flag: bool) -> None:
    board = running(firmware=firmware)
    board.faults.add("overheat")
    board.advance(5)
    assert board.phase is Phase.COOLING
    assert "overheat" not in board.faults
    during = read(board)
    shown = board.overheat_copy if board.version >= (2, 14, 0) else bool(board.nvs["overheat_mode"])
    assert shown is flag
    assert (during.hashrate_ghs == 0) is (firmware == "v2.15.3")
    assert during.power_w > 15  # the last value, though the core is off
    assert board.truth().power_w < 6
    board.advance(120)
    assert (board.nvs["frequency"], board.nvs["coreVoltage"]) == (425, 1050)
    assert (board.nvs["autofanspeed"], board.nvs["manualFanSpeed"], board.nvs["overheat_mode"]) == (0, 100, 0)
    assert board.judge.reboots == 0


def test_firmware_without_protection_and_nerdqaxe_shutdown() -> None:
    ancient, nerd = running("ultra", firmware="v2.1.3"), running("nerdqaxe++")
    for board in (ancient, nerd):
        board.faults.add("overheat")
        board.advance(300)
    assert ancient.judge.overheats == 0
    assert (nerd.phase, nerd.truth().hashing) == (Phase.TRIPPED, False)
    nerd.restart()
    nerd.advance(60)
    assert nerd.truth().hashing


def told(board: Board) -> MinerStatus:
    return parse_info(answer(board, Request("GET", "/api/system/info", {}, b"")).body)


def test_a_nerdqaxe_that_overheats_says_so_in_no_field_and_is_an_incident_all_the_same() -> None:
    nerd = running("nerdqaxe++")
    before = told(nerd)
    nerd.faults.add("overheat")
    nerd.advance(10)
    after = told(nerd)
    assert (after.paused, after.overheat, after.core_mv) == (False, None, before.core_mv)
    assert after.chip_temp_c is not None
    assert after.chip_temp_c > 60
    assert (after.hashrate_ghs, after.core_actual_mv) == (0, 0)
    assert "the core was switched off by nobody's order" in (overheated(before, after) or "")
    nerd.restart()
    nerd.advance(60)
    assert overheated(after, told(nerd)) is None
    nerd.shut_down()
    assert overheated(before, told(nerd)) is None, "a person's own shutdown"


def test_fan_faults_cook_the_board_into_its_protection() -> None:
    dead, stuck = running(), running()
    dead.faults.add("fan-dead")
    stuck.faults.add("fan-stuck")
    dead.advance(30)
    stuck.advance(30)
    assert read(dead).rpm == 0
    first = read(stuck).rpm
    dead.advance(300)
    stuck.advance(60)
    assert dead.judge.overheats >= 1
    assert read(stuck).rpm == pytest.approx(first, rel=0.05)


def test_the_other_hardware_faults() -> None:
    zombie, liar, droop, third, pool = (running() for _ in range(5))
    zombie.faults.add("zombie")
    assert zombie.truth().hashing
    for _ in range(2):
        zombie.restart()
        zombie.advance(100)
        assert not zombie.truth().hashing
    accepted = liar.mining.accepted
    liar.faults.add("lies-hashing")
    liar.advance(600)
    assert read(liar).hashrate_ghs > 500
    assert liar.mining.accepted == accepted
    assert read(liar).power_w < 12
    droop.faults.add("droop")
    droop.advance(5)
    assert droop.power_fault
    set_to(droop, 400, 1050)
    assert not droop.power_fault  # stepping down helps
    third.faults.add("third-party")
    third.advance(200)
    assert third.judge.foreign_writes >= 3
    pool.faults.add("pool-lost")
    pool.advance(30)
    assert pool.truth().hashrate_ghs == 0
    old_pool = running(firmware="v2.12.2")
    old_pool.faults.add("pool-lost")
    shares = old_pool.mining.accepted
    old_pool.advance(300)
    assert old_pool.truth().hashing
    assert old_pool.mining.accepted == shares


def test_random_reboots_and_slow_restarts() -> None:
    board, slow = running(), running()
    board.faults.add("reboot")
    board.advance(1800)
    assert board.judge.reboots > 2
    slow.faults.add("slow-restart")
    slow.restart()
    slow.advance(130)
    assert not slow.online


def test_ambient_curve_and_seed() -> None:
    board = Board("gamma", ambient_c=25, ambient_swing_c=6)
    assert board.room_c == 19
    board.time_s = 43_200
    assert board.room_c == 31
    assert running(seed=4).truth().hashrate_ghs == running(seed=4).truth().hashrate_ghs
    assert running(seed=4).truth().need_mv(525) != running(seed=5).truth().need_mv(525)


def test_shares_and_best_difficulty_grow_with_the_work() -> None:
    board = running()
    board.advance(3600)
    hashes = board.mining.lifetime_hashes
    expected = hashes / 2**32 / board.mining.pool_diff
    assert board.mining.accepted + board.mining.rejected == pytest.approx(expected, rel=0.1)
    assert board.mining.best_diff > board.mining.pool_diff


@pytest.mark.parametrize(("family", "firmware"), [("gamma", "newest"), ("toaster", "v2.15.3")])
def test_nonsense_is_refused_by_name(family: str, firmware: str) -> None:
    with pytest.raises(ConfigError, match=r"newest|toaster"):
        Board(family, firmware=firmware)


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ConfigError, match="no fault named 'gremlin'"):
        Board("gamma").faults.add("gremlin")
