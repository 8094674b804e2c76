"""A sweep as files: every point with all its numbers, as JSON (with the plan) and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from minertui.model.plans import SweepPlan, SweepPoint
from minertui.tui.export import cell, file_stem, save_text


def save_sweep(
    device: str, plan: SweepPlan, points: Sequence[SweepPoint], now_s: float, folder: Path | None = None
) -> tuple[Path, ...]:
    """Write ``points`` as CSV and JSON into ``folder`` (default: the current one); existing files stay. Raises
    MinertuiError when it cannot be written."""
    stem = f"minertui-sweep-{file_stem(device)}-{datetime.fromtimestamp(now_s, tz=UTC):%Y%m%dT%H%M%SZ}"
    return (
        save_text(as_json(device, plan, points), f"{stem}.json", folder),
        save_text(as_csv(device, points), f"{stem}.csv", folder),
    )


def as_json(device: str, plan: SweepPlan, points: Sequence[SweepPoint]) -> str:
    """Device, plan and points; unknown numbers are left out."""
    whole = {"device": device, "plan": plan, "points": list(points)}
    return msgspec.json.format(msgspec.json.encode(whole)).decode() + "\n"


def as_csv(device: str, points: Sequence[SweepPoint]) -> str:
    """A line per point in the order measured; unknown is empty."""
    names = SweepPoint.__struct_fields__
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["device", *names])
    for point in points:
        writer.writerow([cell(device), *(_text(getattr(point, name)) for name in names)])
    return out.getvalue()


def _text(value: object) -> str:
    if value is None:
        return ""
    return cell(value) if isinstance(value, str) else f"{value}"
