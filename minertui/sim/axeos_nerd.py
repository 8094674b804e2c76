"""The NerdQAxe dialect: other fields, integers only, values above its maximum cut without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minertui.sim.axeos_models import Phase
from minertui.sim.axeos_reading import Reading

if TYPE_CHECKING:
    from minertui.sim.axeos_board import Board


def nerd_asic(board: Board) -> dict[str, Any]:
    """GET ``/api/system/asic``."""
    family = board.family
    return {
        "ASICModel": family.chip.name, "deviceModel": family.model, "asicCount": family.chips,
        "defaultFrequency": family.stock_mhz, "defaultVoltage": family.stock_mv,
        "absMaxFrequency": family.cap_mhz, "absMaxVoltage": family.cap_mv, "ecoFrequency": 0, "ecoVoltage": 0,
        "swarmColor": family.colour, "frequencyOptions": [500, 515, 525, 550, 575, 590, 600],
        "voltageOptions": [1120, 1130, 1140, 1150, 1160, 1170, 1180, 1190, 1200],
    }  # fmt: skip


def nerd_info(board: Board, r: Reading) -> dict[str, Any]:
    """GET ``/api/system/info``."""
    return _telemetry(board, r) | _counters(board) | _fans(board, r) | _settings(board)


def _telemetry(board: Board, r: Reading) -> dict[str, Any]:
    family = board.family
    amps = r.current_ma / 1000
    return {
        "asicCount": family.chips, "smallCoreCount": family.chip.cores, "deviceModel": family.model,
        "hostip": f"192.168.{board.seed >> 8 & 255}.{board.seed & 255}", "macAddr": board.mac, "wifiRSSI": -44,
        "power": r.power_w, "maxPower": family.max_power_w, "minPower": 52, "maxVoltage": 13, "minVoltage": 11,
        "current": r.current_ma, "currentA": amps, "minCurrentA": 0, "maxCurrentA": 8,
        "temp": r.temp_c, "vrTemp": r.vr_c, "vrTempInt": r.vr_c + 4,
        "hashRateTimestamp": round(1000 * board.uptime_s), "hashRate": r.hashrate_ghs, "hashRate_1m": r.mean_1m_ghs,
        "hashRate_10m": r.mean_10m_ghs, "hashRate_1h": r.mean_1h_ghs, "hashRate_1d": r.mean_1h_ghs,
        "coreVoltage": board.nvs["coreVoltage"], "defaultCoreVoltage": family.stock_mv, "coreVoltageActual": r.core_mv,
        "asicTemps": [0] * family.chips, "voltage": r.input_mv, "frequency": int(board.nvs["frequency"]),
        "defaultFrequency": family.stock_mhz, "shutdown": board.phase is Phase.SHUTDOWN, "duplicateHWNonces": 0,
        "lastpingrtt": 16, "recentpingloss": 0, "jobInterval": 500, "stratumDifficulty": 1000,
        "vrFrequency": 25011, "defaultVrFrequency": 25011,
    }  # fmt: skip


def _counters(board: Board) -> dict[str, Any]:
    mining = board.mining
    pool = {
        "connected": board.pool_ok, "poolDifficulty": mining.pool_diff, "networkDifficulty": 1.274507897e14,
        "poolDiffErr": False, "accepted": mining.accepted, "rejected": mining.rejected, "pingRtt": 16, "pingLoss": 0,
        "bestDiff": int(mining.session_diff),
    }  # fmt: skip
    return {
        "stratum": {
            "poolMode": 0, "activePoolMode": 0, "poolBalance": 50, "totalBestDiff": int(mining.best_diff),
            "usingFallback": False, "pools": [pool],
        },
        "poolDifficulty": mining.pool_diff, "networkDifficulty": 1.274507897e14, "foundBlocks": 0,
        "totalFoundBlocks": 0, "sharesAccepted": mining.accepted, "sharesRejected": mining.rejected,
        "bestDiff": int(mining.best_diff), "bestSessionDiff": int(mining.session_diff),
        "uptimeSeconds": int(board.uptime_s + 1e-6), "lastResetReason": "SYSTEM.RESET_SOFTWARE",
        "wifiStatus": "Connected!",
        "freeHeap": 6_972_844, "freeHeapInt": 95_068, "version": board.firmware, "runningPartition": "ota_0",
        "defaultTheme": "cosmic", "otp": False, "ASICModel": board.family.chip.name,
    }  # fmt: skip


def _fans(board: Board, r: Reading) -> dict[str, Any]:
    nvs, pct = board.nvs, round(r.fan_pct)
    pid = {"targetTemp": nvs["temptarget"], "p": 6, "i": 0.1, "d": 10}

    def fan(label: str, mode: int, rpm: float) -> dict[str, Any]:
        return {
            "label": label, "mode": mode, "manualSpeed": nvs["manualFanSpeed"], "overheatTemp": nvs["overheat_temp"],
            "rpm": rpm, "speedPerc": pct, "pid": pid,
        }  # fmt: skip

    return {
        "fanspeed": pct, "manualFanSpeed": nvs["manualFanSpeed"], "fanrpm": r.rpm, "fanrpm2": round(r.rpm / 3),
        "fanspeed2": pct, "fanCount": 2, "pidTargetTemp": nvs["temptarget"], "pidP": 6, "pidI": 0.1, "pidD": 10,
        "fans": [fan("M2", nvs["autofanspeed"], r.rpm), fan("M1", 3, round(r.rpm / 3))],
        "overheat_temp": nvs["overheat_temp"], "autofanspeed": nvs["autofanspeed"],
    }  # fmt: skip


def _settings(board: Board) -> dict[str, Any]:
    nvs = board.nvs
    answer: dict[str, Any] = {
        "hostname": nvs["hostname"], "ssid": nvs["ssid"], "stratumProtocol": 0, "fallbackStratumProtocol": 0,
        "sv2AuthorityPubkey": "", "fallbackSv2AuthorityPubkey": "", "sv2ChannelType": 0, "fallbackSv2ChannelType": 0,
        "flipscreen": int(nvs["flipscreen"]), "invertscreen": int(nvs["invertscreen"]), "stratum_keep": 1,
        "autoscreenoff": int(nvs["autoscreenoff"]), "invertfanpolarity": int(nvs["invertfanpolarity"]),
    }  # fmt: skip
    for prefix, slot in (("stratum", 0), ("fallbackStratum", 1)):
        pool = nvs["pools"][slot]
        answer |= {
            f"{prefix}URL": pool["stratumURL"], f"{prefix}Port": pool["stratumPort"],
            f"{prefix}User": pool["stratumUser"], f"{prefix}EnonceSubscribe": bool(pool["stratumExtranonceSubscribe"]),
            f"{prefix}TLS": bool(pool["stratumTLS"]),
        }  # fmt: skip
    return answer
