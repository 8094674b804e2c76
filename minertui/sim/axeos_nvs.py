"""What a simulated board keeps in flash: its settings, over every reboot.

Keys are those of the newest firmware's PATCH, whatever the board's own firmware calls them; ``axeos_patch`` translates.
"""

from __future__ import annotations

from typing import Any

from minertui.sim.axeos_models import Family

Nvs = dict[str, Any]

POOL_DEFAULTS: dict[str, Any] = {
    "stratumProtocol": "SV1",
    "stratumURL": "",
    "stratumPort": 3333,
    "stratumUser": "",
    "stratumPassword": "x",
    "stratumSuggestedDifficulty": 0,
    "stratumExtranonceSubscribe": False,
    "stratumTLS": 0,
    "stratumCert": "",
    "stratumDecodeCoinbase": True,
    "stratumV2ChannelType": "extended",
    "stratumV2AuthorityPubkey": "",
    "stratumV2RequireAuth": False,
}


def pool(url: str, port: int, user: str) -> dict[str, Any]:
    """A pool slot with the firmware's defaults."""
    return {**POOL_DEFAULTS, "stratumURL": url, "stratumPort": port, "stratumUser": user}


def factory(family: Family, hostname: str) -> Nvs:
    """The settings of a board as delivered, with two example pools."""
    return {
        "frequency": float(family.stock_mhz),
        "coreVoltage": family.stock_mv,
        "overclockEnabled": False,
        "autofanspeed": 2 if family.nerd else 1,
        "manualFanSpeed": 100,
        "minFanSpeed": 25,
        "temptarget": 60,
        "overheat_mode": 0,
        "overheat_temp": 70,
        "statsFrequency": 0,
        "displayTimeout": -1,
        "rotation": 0,
        "flipscreen": 1,
        "invertscreen": 0,
        "invertfanpolarity": 1,
        "autoscreenoff": 0,
        "display": "SSD1306 (128x32)",
        "displayOffset": 0,
        "hostname": hostname,
        "ssid": "simulated",
        "wifiPass": "simulated",
        "primaryPoolIndex": 0,
        "secondaryPoolIndex": 1,
        "useFallbackStratum": 0,
        "useCustomWWW": 0,
        "pools": {
            0: pool("pool.example.org", 3333, f"bc1qexample.{hostname}"),
            1: pool("fallback.example.org", 3333, f"bc1qexample.{hostname}"),
        },
    }
