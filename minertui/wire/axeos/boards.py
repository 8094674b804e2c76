"""What is known about chips and boards, for firmware that does not say it itself.

Source: ESP-Miner ``main/device_config.h`` (v2.15.0) for the Bitaxe boards, ESP-Miner-NerdQAxePlus ``main/boards`` for
the Nerd ones. A value that a device publishes always goes before the table.
"""

from __future__ import annotations

import msgspec


class Chip(msgspec.Struct, frozen=True):
    """An ASIC model: small cores and hash domains per chip, factory frequency (MHz) and core voltage (mV)."""

    small_cores: int
    domains: int
    default_mhz: float
    default_mv: float


class Board(msgspec.Struct, frozen=True):
    """A family of boards: ``chips`` of one kind, the power (W) its supply stage is built for, nominal input (V).
    ``default_mhz``/``default_mv`` only where they differ from the chip's."""

    model: str
    chip: str
    chips: int
    max_power_w: float | None
    nominal_v: float
    default_mhz: float | None = None
    default_mv: float | None = None


CHIPS: dict[str, Chip] = {
    "BM1397": Chip(672, 1, 425, 1400),
    "BM1366": Chip(894, 4, 485, 1200),
    "BM1368": Chip(1276, 4, 490, 1166),
    "BM1370": Chip(2040, 4, 525, 1150),
    "BM1372": Chip(6725, 4, 327, 1000),
    "BM1373": Chip(6725, 4, 327, 1000),
}

MAX = Board("Max", "BM1397", 1, 25, 5)
ULTRA = Board("Ultra", "BM1366", 1, 25, 5)
HEX = Board("Hex", "BM1366", 6, 90, 12)
SUPRA = Board("Supra", "BM1368", 1, 40, 5)
GAMMA = Board("Gamma", "BM1370", 1, 40, 5)
GAMMA_DUO = Board("GammaDuo", "BM1370", 2, 40, 5, 400, 1150)
SUPRA_HEX = Board("SupraHex", "BM1368", 6, 120, 12)
GAMMA_TURBO = Board("GammaTurbo", "BM1370", 2, 60, 12)

BY_VERSION: dict[str, Board] = (
    dict.fromkeys(("2.2", "102"), MAX)
    | dict.fromkeys(("0.11", "201", "202", "203", "204", "205", "207"), ULTRA)
    | dict.fromkeys(("302", "303"), HEX)
    | dict.fromkeys(("400", "401", "402", "403"), SUPRA)
    | dict.fromkeys(("600", "601", "602", "603"), GAMMA)
    | {"650": GAMMA_DUO, "701": SUPRA_HEX, "702": SUPRA_HEX, "801": GAMMA_TURBO}
)
"""Bitaxe boards by ``boardVersion``."""

BY_MODEL: dict[str, Board] = {
    board.model: board
    for board in (
        *(MAX, ULTRA, HEX, SUPRA, GAMMA, GAMMA_DUO, SUPRA_HEX, GAMMA_TURBO),
        Board("NerdAxe", "BM1366", 1, None, 5, 485, 1200),
        Board("NerdAxeGamma", "BM1370", 1, None, 5, 515, 1150),
        Board("NerdQAxe+", "BM1368", 4, None, 12, 490, 1250),
        Board("NerdQAxe++", "BM1370", 4, None, 12, 600, 1150),
        Board("NerdHaxe-γ", "BM1370", 6, None, 12, 600, 1150),
        Board("NerdOCTAXE+", "BM1368", 8, None, 12, 490, 1250),
        Board("NerdOCTAXE-γ", "BM1370", 8, None, 12, 600, 1150),
        Board("NerdEKO", "BM1370", 12, None, 12, 600, 1150),
    )
}
"""All boards by ``deviceModel``."""


def board_of(version: str | None, model: str | None) -> Board | None:
    """The board with this ``deviceModel`` or, failing that, this ``boardVersion``; None when neither is known."""
    return BY_MODEL.get(model or "") or BY_VERSION.get(version or "")
