"""What the help says of a place: what it is for, its keys, then those that work everywhere. Made from the actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from minertui.tui.commands import offered
from minertui.tui.commands.base import Action, At, Danger
from minertui.tui.commands.everywhere import OpenPlace
from minertui.tui.keys import free_sign, sign, signs

if TYPE_CHECKING:
    from minertui.tui.dialogs.help import HelpRow, HelpScreen

PLACES: Mapping[str, tuple[str, str]] = {
    "fleet": ("The fleet", "All miners, one a line. Actions go to the marked ones, or to the one under the cursor."),
    "miner": ("A miner", "How it is, how it was, how it is set, what runs on it, what it says."),
    "sweep": ("Sweeps", "Benchmarks: frequency and voltage, measured point by point within limits."),
    "rig": ("A Duino-Coin rig", "Its boards, where the time of their shares goes, and why it earns what it earns."),
    "alerts": ("Alerts", "What needs, or needed, attention. An acknowledged one is dimmed, not gone."),
    "log": ("The log", "What the engine, its jobs and the miners say, in one stream."),
    "commands": ("The command log", "What was sent to which miner, by whom, how it ended, what a read-back proved."),
}
_WIDGETS: Mapping[str, tuple[tuple[str | tuple[str, ...], str], ...]] = {
    "fleet": (
        (("rows.up", "rows.down"), "cursor"),
        (("rows.page-up", "rows.page-down"), "a page"),
        (("rows.first", "rows.last"), "first, last"),
        ("● ○ ✕", "well; rests or not heard yet; lost"),
        ("! !!", "worth a look; at its limit or wrong (behind numbers too)"),
        ("S G s g", "before the name: a sweep, a guard runs; small: it failed"),
        ("exp %", "hashrate of this reading, of what frequency and chips promise; readings jump by a fifth"),
        ("J/TH", "energy for a terahash: less is better"),
    ),
    "miner": (
        ("↑ ↓ j k", "scroll"),
        (("log.search", "log.filter", "log.follow", "log.wrap"), "in the log: search, filter, follow, wrap"),
        ("Tab", "next section"),
    ),
    "sweep": (
        (("points.up", "points.down"), "cursor"),
        (("points.apply",), "all of the point under the cursor, and the way to apply it"),
        (("sweep.before", "sweep.next"), "the miner before, the next one"),
        (("sweep.order", "sweep.goal"), "ranked or as measured; ranked by the other goal"),
        (("sweep.compare", "sweep.export"), "compare with an earlier sweep; export to files"),
        (
            "exp %",
            "hashrate measured, of what the frequency promises; under the plan's share (94 %) a point is unstable",
        ),
        ("err %", "results that the chip got wrong; above the plan's (1 %) a point is unstable"),
        ("sure to", "how likely a verdict is right, by number and spread of its readings (the plan's confidence)"),
        ("★ best", "the first by the goal of all points that passed; those a soak confirmed come before others"),
        ("soak", "a point measured again, longer, to confirm that it is the best"),
        ("x ~ ?", "a limit was reached; unstable; says nothing (disturbed, or the miner was never really there)"),
    ),
    "rig": (
        (("list.up", "list.down"), "cursor"),
        ("D V C", "a board is not connected; waits for the pool's greeting; is connected"),
        ("R J K", "has asked for a job; has one; hashes"),
        ("W E G F", "its result is here; sent; accepted; refused"),
    ),
    "alerts": ((("list.up", "list.down"), "cursor"),),
    "commands": ((("list.up", "list.down"), "cursor"),),
    "log": (
        (("log.search", "log.next", "log.previous"), "search, next, previous"),
        (("log.filter", "log.follow"), "show only lines with these words; follow what comes, or stay"),
        (("log.wrap", "log.pause"), "wrap long lines; hold what comes back"),
        (("log.save",), "save to a file"),
    ),
}
_NOTE = {Danger.NONE: "", Danger.YES_NO: " (asks first)", Danger.TYPE_NAME: " (asks for the name)"}


def help_rows(at: At, keys: Mapping[str, str]) -> list[HelpRow]:
    """What the help says here. ``keys``: the user's own, by id."""
    from minertui.tui.dialogs.help import HelpRow

    here = [action for action in offered(at) if action.places]
    everywhere = [a for a in offered(at) if not a.places and not a.id.startswith("tab-") and not _leads_here(a, at)]
    _, about = PLACES.get(at.place, (at.place, ""))
    if at.readonly or at.fleet.readonly:
        about += " This screen is read-only: what writes to a miner or to the config is hidden."
    rows = [HelpRow("", about)] if about else []
    for key, meaning in _WIDGETS.get(at.place, ()):
        rows.append(HelpRow(key if isinstance(key, str) else signs(key, keys), meaning))
    rows += [_row(action, at.place, keys) for action in here]
    rows += [HelpRow("", "Everywhere"), HelpRow("1 … 9", "Go to the tab with this number")]
    rows += [_row(action, at.place, keys) for action in everywhere]
    return [*rows, HelpRow("", "Behind an action stands its name for [screen.keys] in the config file.")]


def help_screen(at: At, keys: Mapping[str, str]) -> HelpScreen:
    """The help of this place."""
    from minertui.tui.dialogs.help import HelpScreen

    return HelpScreen(PLACES.get(at.place, (at.place, ""))[0], help_rows(at, keys))


def _leads_here(action: Action, at: At) -> bool:
    return isinstance(action, OpenPlace) and action.place == at.place


def _row(action: Action, place: str, keys: Mapping[str, str]) -> HelpRow:
    """What has no key in this place is found in the palette, under the palette's key."""
    from minertui.tui.dialogs.help import HelpRow

    key = free_sign(action, place, keys)
    note = _NOTE[action.danger] if key else f"{_NOTE[action.danger]}; its key means something else here"
    return HelpRow(key or sign(keys.get("palette", ":")), f"{action.title}{note}", action.id)
