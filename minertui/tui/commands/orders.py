"""How an order leaves the screen: dry first where the change can be shown, confirmed, sent, and its outcome said."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from minertui.model.commands import Change, Command, CommandRecord, Order, OutcomeState
from minertui.model.errors import MinertuiError
from minertui.tui.commands.base import Danger, Desk

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
    what = "; ".join(change_text(change) for change in outcome.changes) or type(order.command).__name__
    why = f" ({outcome.reason})" if outcome.reason else ""
    return f"{order.device}: {what} — {outcome.state.value}{why}"


async def send(
    desk: Desk, device: str, command: Command, *, confirmed: bool = False, dry_run: bool = False
) -> CommandRecord | None:
    """Send one order; a refusal by the link is said and gives None. ``confirmed``: a dialog showed the exact change."""
    order = Order(uuid.uuid4().hex, device, command, dry_run=dry_run, confirmed=confirmed)
    try:
        record = await desk.link.send(order)
    except MinertuiError as error:
        desk.say(f"{device}: {error}", "error")
        return None
    if not dry_run:
        desk.say(outcome_text(record), _SEVERITY[record.outcome.state])
    return record


async def rehearse(desk: Desk, devices: Sequence[str], command: Command) -> tuple[list[str], list[str]]:
    """Dry runs on ``devices``: the ones that would take it, and the lines that say what would change."""
    ready: list[str] = []
    lines: list[str] = []
    for device in devices:
        record = await send(desk, device, command, dry_run=True)
        if record is None:
            continue
        outcome = record.outcome
        if not outcome.ok:
            lines.append(f"{device}: refused: {outcome.reason}")
            continue
        ready.append(device)
        lines += [f"{device}: {change_text(change)}" for change in outcome.changes] or [f"{device}: {outcome.reason}"]
    return ready, lines


async def rehearse_and_send(desk: Desk, devices: Sequence[str], command: Command, title: str) -> None:
    """Show what the dry runs say, ask once, then send to every device that would take it."""
    ready, lines = await rehearse(desk, devices, command)
    if not ready:
        for text in lines:
            desk.say(text, "error")
        return
    if await desk.confirm(title, lines, Danger.YES_NO):
        for device in ready:
            await send(desk, device, command, confirmed=True)


def named(devices: Sequence[str]) -> str:
    """``attic-1`` or ``3 miners: attic-1, attic-2, attic-3``."""
    return devices[0] if len(devices) == 1 else f"{len(devices)} miners: {', '.join(devices)}"
