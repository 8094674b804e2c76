"""How an order leaves the screen: dry first where the change can be shown, confirmed, sent, and its outcome said."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from minertui.model.commands import Change, Command, CommandRecord, Order, OutcomeState, word_of
from minertui.model.errors import MinertuiError
from minertui.tui.commands.base import Danger, Desk

TOLD_EACH = 3
"""So many miners are told of one by one; toasts of more would cover the screen."""
_SEVERITY = {
    OutcomeState.APPLIED: "information",
    OutcomeState.DRY_RUN: "information",
    OutcomeState.UNKNOWN: "warning",
    OutcomeState.REFUSED: "error",
}


def change_text(change: Change) -> str:
    """``frequency: 525 MHz → 550 MHz``."""
    return f"{change.setting}: {change.before} → {change.after}"


def outcome_text(record: CommandRecord) -> str:
    """One sentence: device, what was asked, how it ended and why."""
    order, outcome = record.order, record.outcome
    what = "; ".join(change_text(change) for change in outcome.changes) or word_of(order.command)
    why = f" ({outcome.reason})" if outcome.reason else ""
    return f"{order.device}: {what} — {outcome.state.words}{why}"


async def send(
    desk: Desk, device: str, command: Command, *, confirmed: bool = False, dry_run: bool = False, quiet: bool = False
) -> CommandRecord | None:
    """Send one order; a refusal by the link is said and gives None. ``confirmed``: a dialog showed the exact change.
    ``quiet``: only what did not go well is said."""
    order = Order(uuid.uuid4().hex, device, command, dry_run=dry_run, confirmed=confirmed)
    try:
        record = await desk.link.send(order)
    except MinertuiError as error:
        desk.say(f"{device}: {error}", "error")
        return None
    if not dry_run and not (quiet and record.outcome.ok):
        desk.say(outcome_text(record), _SEVERITY[record.outcome.state])
    return record


class Rehearsal(NamedTuple):
    """What dry runs said: the devices that would take the order, the lines that say what would change, and whether one
    of them is a warning, such as a sweep that would end."""

    ready: tuple[str, ...]
    lines: tuple[str, ...]
    warned: bool


async def rehearse(desk: Desk, devices: Sequence[str], command: Command, does: str = "") -> Rehearsal:
    """Dry runs on ``devices``, as if the question had been answered. ``does``: what happens, where no setting
    changes."""
    ready: list[str] = []
    lines: list[str] = []
    warned = False
    for device in devices:
        record = await send(desk, device, command, confirmed=True, dry_run=True)
        if record is None:
            continue
        outcome = record.outcome
        if not outcome.ok:
            lines.append(f"{device}: refused: {outcome.reason}")
            continue
        ready.append(device)
        said = [change_text(change) for change in outcome.changes] or ([does] if does or not outcome.reason else [])
        lines += [f"{device}: {text or 'nothing changes'}" for text in said]
        lines += [f"! {device}: {outcome.reason}"] if outcome.reason else []
        warned = warned or bool(outcome.reason)
    return Rehearsal(tuple(ready), tuple(lines), warned)


async def rehearse_and_send(
    desk: Desk,
    devices: Sequence[str],
    command: Command,
    title: str,
    does: str = "",
    danger: Danger = Danger.YES_NO,
) -> None:
    """Show what the dry runs say, ask once, then send to every device that would take it. What is harmless is asked
    only when a dry run warns."""
    rehearsal = await rehearse(desk, devices, command, does)
    if not rehearsal.ready:
        for text in rehearsal.lines:
            desk.say(text, "error")
        return
    if danger is Danger.NONE and rehearsal.warned:
        danger = Danger.YES_NO
    if await desk.confirm(title, rehearsal.lines, danger):
        await _send_all(desk, rehearsal.ready, command, confirmed=danger is not Danger.NONE)


async def _send_all(desk: Desk, devices: Sequence[str], command: Command, *, confirmed: bool) -> None:
    """One after the other; where many went well it is said once."""
    many = len(devices) > TOLD_EACH
    records = [await send(desk, device, command, confirmed=confirmed, quiet=many) for device in devices]
    well = sum(record is not None and record.outcome.ok for record in records)
    if many and well:
        desk.say(f"{well} of {len(devices)} miners: {word_of(command)} — applied")
