"""What the simulated boards are made of: chips, board families and firmware versions.

Names, core counts, options, supplies and regulator ranges are those of the ESP-Miner and ESP-Miner-NerdQAxePlus
sources. The electrical figures are fitted to published readings of real devices, so that a simulated board shows what
its owner would expect:

- BM1370, Gamma 601: 525 MHz at 1144 mV and 60 °C draws 12.0 A (core 13.8 W, shown as 18.8 W); 850 MHz at 1201 mV draws
  19.2 A (core 23.0 W) with 96 % of the expected hashrate; 4 chips at 600 MHz and 1148 mV take 74 W at the plug.
- BM1366, Hex 302: 6 chips at 525 MHz and 1194 mV take 46 W in the core, 7.7 W each.
- BM1368 and BM1397 are scaled to the 20 and 45 J/TH that their makers state at the stock settings.
"""

from __future__ import annotations

import enum

import msgspec

from minertui.model.errors import ConfigError

Version = tuple[int, int, int]


class Phase(enum.Enum):
    """Where a board stands in its life."""

    DOWN = "down"  # rebooting: no network
    STARTING = "starting"  # answers; the chips are not initialised yet
    RUNNING = "running"
    COOLING = "cooling"  # own protection, v2.11 and later: core off until cool
    SHUTDOWN = "shutdown"  # NerdQAxe: core off until a restart
    TRIPPED = "tripped"  # the same by its own overheat protection, which no field tells; sensors and fan go on


class Chip(msgspec.Struct, frozen=True):
    """A kind of ASIC. ``need_mv`` is what typical silicon needs at its default clock, ``need_slope`` and
    ``need_curve`` how that grows (mV/MHz, mV/MHz²); above ``full_mhz`` no voltage brings the whole hashrate;
    ``dynamic_w`` is W per V² and MHz; ``leak_w`` is at 60 °C and the default
    voltage."""

    name: str
    cores: int
    domains: int
    default_mhz: int
    default_mv: int
    frequency_options: tuple[int, ...]
    voltage_options: tuple[int, ...]
    need_mv: float
    need_slope: float
    need_curve: float
    full_mhz: float
    dynamic_w: float
    leak_w: float


BM1397 = Chip(
    name="BM1397", cores=672, domains=1, default_mhz=425, default_mv=1400,
    frequency_options=(400, 425, 450, 475, 485, 500, 525, 550, 575, 600),
    voltage_options=tuple(range(1100, 1501, 50)),
    need_mv=1320, need_slope=0.70, need_curve=0.0005, full_mhz=600, dynamic_w=0.0108, leak_w=0.8,
)  # fmt: skip
BM1366 = Chip(
    name="BM1366", cores=894, domains=4, default_mhz=485, default_mv=1200,
    frequency_options=(400, 425, 450, 475, 485, 500, 525, 550, 575),
    voltage_options=tuple(range(1100, 1301, 50)),
    need_mv=1130, need_slope=0.55, need_curve=0.0005, full_mhz=640, dynamic_w=0.0100, leak_w=0.8,
)  # fmt: skip
BM1368 = Chip(
    name="BM1368", cores=1276, domains=4, default_mhz=490, default_mv=1166,
    frequency_options=(400, 425, 450, 475, 485, 490, 500, 525, 550, 575),
    voltage_options=(1100, 1150, 1166, 1200, 1250, 1300),
    need_mv=1100, need_slope=0.60, need_curve=0.0005, full_mhz=650, dynamic_w=0.0123, leak_w=0.9,
)  # fmt: skip
BM1370 = Chip(
    name="BM1370", cores=2040, domains=4, default_mhz=525, default_mv=1150,
    frequency_options=(400, 490, 525, 550, 600, 625),
    voltage_options=(1000, 1060, 1100, 1150, 1200, 1250),
    need_mv=1085, need_slope=0.38, need_curve=0.0002, full_mhz=860, dynamic_w=0.0180, leak_w=1.6,
)  # fmt: skip
BM1370XP = msgspec.structs.replace(
    BM1370, default_mhz=400, frequency_options=(350, 375, 380, 400, 410), need_mv=1075, full_mhz=700
)


class Family(msgspec.Struct, frozen=True):
    """A board design. ``offset_w`` is what the firmware adds to the regulator's output power; ``regulator_mv`` the
    range it takes, per voltage domain; ``cap_mhz``/``cap_mv`` are the limits that only NerdQAxe firmware knows."""

    name: str
    model: str
    chip: Chip
    chips: int
    max_power_w: int
    supply_v: int
    offset_w: float
    colour: str
    boards: tuple[str, ...]
    regulator_mv: tuple[int, int] = (1000, 2000)
    nerd: bool = False
    cap_mhz: int = 0
    cap_mv: int = 0
    default_mhz: int = 0
    default_mv: int = 0

    @property
    def stock_mhz(self) -> int:
        """The clock it is sold with."""
        return self.default_mhz or self.chip.default_mhz

    @property
    def stock_mv(self) -> int:
        """The core voltage it is sold with."""
        return self.default_mv or self.chip.default_mv


def _family(name: str, model: str, chip: Chip, chips: int, watts: tuple[int, int, float], colour: str,
            boards: str, regulator_mv: tuple[int, int] = (1000, 2000)) -> Family:  # fmt: skip
    max_power_w, supply_v, offset_w = watts
    return Family(
        name=name, model=model, chip=chip, chips=chips, max_power_w=max_power_w, supply_v=supply_v,
        offset_w=offset_w, colour=colour, boards=tuple(boards.split()), regulator_mv=regulator_mv,
    )  # fmt: skip


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        _family("max", "Max", BM1397, 1, (25, 5, 5.0), "red", "102 2.2"),
        _family("ultra", "Ultra", BM1366, 1, (25, 5, 5.0), "purple", "207 0.11 201 202 203 204 205"),
        _family("hex", "Hex", BM1366, 6, (90, 12, 12.0), "orange", "302 303", (833, 1500)),
        _family("supra", "Supra", BM1368, 1, (40, 5, 5.0), "blue", "402 400 401 403"),
        _family("gamma", "Gamma", BM1370, 1, (40, 5, 5.0), "green", "601 600 602 603"),
        _family("gammaduo", "GammaDuo", BM1370XP, 2, (40, 5, 5.0), "green", "650"),
        _family("suprahex", "SupraHex", BM1368, 6, (120, 12, 25.0), "darkblue", "701 702", (833, 1500)),
        _family("gammaturbo", "GammaTurbo", BM1370, 2, (60, 12, 10.0), "cyan", "801", (1000, 3000)),
        Family(
            name="nerdqaxe++", model="NerdQAxe++", chip=BM1370, chips=4, max_power_w=100, supply_v=12, offset_w=2.0,
            colour="#e700d8", boards=("",), nerd=True, cap_mhz=800, cap_mv=1400, default_mhz=600,
        ),
    )
}  # fmt: skip

# Boards with DS4432U + INA260: no regulator thermometer, input power is measured, 0.046 to 2.39 V.
INA260_BOARDS = frozenset({"2.2", "102", "0.11", "201", "202", "203", "204", "205", "400", "401"})
# Boards that measure the chip inside the fan controller: the reading goes on while the core is off.
FAN_SENSOR_BOARDS = INA260_BOARDS - {"2.2", "102"}


def family_named(name: str) -> Family:
    """The family ``name``. Raises ConfigError that lists what there is."""
    if name not in FAMILIES:
        raise ConfigError(f"no simulated board named {name!r}; there are: {', '.join(FAMILIES)}")
    return FAMILIES[name]


NERD_FIRMWARE = "V1.0.37.2-LTS"
FIRMWARES: tuple[str, ...] = (
    "v2.0.7", "v2.1.3", "v2.1.9", "v2.2.0", "v2.4.5", "v2.7.0", "v2.8.1", "v2.9.0", "v2.10.1", "v2.11.0", "v2.12.2",
    "v2.13.1", "v2.14.2", "v2.15.3",
)  # fmt: skip


def version_of(text: str) -> Version:
    """``"v2.15.3-4-gabc"`` → (2, 15, 3). Raises ConfigError for a text without a version."""
    core = text.lstrip("vV").split("-")[0].split(".")
    if not all(part.isdecimal() for part in core):
        raise ConfigError(f"{text!r} is no firmware version; write it like v2.15.3")
    numbers = [int(part) for part in core[:3]]
    return (numbers[0], numbers[1] if len(numbers) > 1 else 0, numbers[2] if len(numbers) > 2 else 0)
