"""A person takes a miner from a sweep: what becomes of the settings that they do not name, and what they are told.

A sweep passes through settings that nobody chose. Whoever orders one value while it runs means it beside their own
other value, not beside the one that the sweep happened to be at; so the missing one is the baseline's.
"""

from __future__ import annotations

from msgspec.structs import replace

from minertui.engine.desk import Desk, disturbing
from minertui.engine.journal import Entry
from minertui.engine.way_back import leads_to
from minertui.model.commands import Order, Outcome, Rank, Tune
from minertui.safety import kernel, raising
from minertui.safety.request import Request
from minertui.safety.settings import Settings, number
from minertui.safety.steps import Refusal


def whole(request: Request, entry: Entry | None) -> Request:
    """The request with the user's own value where a person's Tune names none and a sweep's baseline is kept. An order
    that only cools is never refused for it: it then goes as it was given. One that is ``at_most`` leaves alone what it
    does not name."""
    tune = request.command
    if not isinstance(tune, Tune) or request.rank is not Rank.PERSON or entry is None or entry.rank is not Rank.SWEEP:
        return request
    if tune.at_most:
        return request
    own_mv = entry.baseline.core_mv
    filled = replace(
        tune,
        frequency_mhz=entry.baseline.frequency_mhz if tune.frequency_mhz is None else tune.frequency_mhz,
        core_mv=(None if own_mv is None else round(own_mv)) if tune.core_mv is None else tune.core_mv,
    )
    asked = replace(request, command=filled)
    cools = kernel.lowers(tune, request.snapshot.status)
    return request if cools and isinstance(kernel.decide(asked), Refusal) else asked


def will_end(whose: str | None, ordered: object, request: Request, entry: Entry | None) -> str:
    """What a dry run says of the job that the order would end; empty when it ends none."""
    if whose is None:
        return ""
    said = f"this ends {_the(whose)} that runs on it"
    if entry is None:
        return said
    if not isinstance(ordered, Tune):
        there, own = leads_to(entry, request.snapshot), entry.baseline.tune_text
        return f"{said}; it goes back to {'your own ' if there == own else ''}{there}"
    back = _back(ordered, request.command, entry.baseline)
    return f"{said}{f'; its {back}' if back else ''}"


def remarks(order: Order, desk: Desk, request: Request, entry: Entry | None) -> str:
    """What a person should know before a dry run becomes an order."""
    status = request.snapshot.status
    ends = desk.ends(order.rank) if disturbing(replace(order, dry_run=False), status) else None
    far = raising.far(request.command, status) if isinstance(request.command, Tune) and status else None
    ended = will_end(ends, order.command, request, entry)
    return "; ".join(text for text in (ended, far) if text)


def has_ended(outcome: Outcome, whose: str | None) -> Outcome:
    """The outcome of an order that took the device from a job."""
    if whose is None:
        return outcome
    return replace(outcome, reason="; ".join(t for t in (outcome.reason, f"this ended {_the(whose)} on it") if t))


def _back(ordered: Tune, sent: object, own: Settings) -> str:
    if ordered == sent:
        return ""
    if ordered.frequency_mhz is None:
        return f"frequency goes back to your own {number(own.frequency_mhz)} MHz"
    return f"core voltage goes back to your own {number(own.core_mv)} mV"


def _the(whose: str) -> str:
    return whose.replace("a ", "the ", 1)
