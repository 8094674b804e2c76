"""What leaves the screen as a file: the history of a miner, or a text that was copied. Files go to the current folder,
are never overwritten, and their paths are said."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from minertui.model.errors import MinertuiError
from minertui.model.history import Series
from minertui.model.metrics import METRICS
from minertui.model.rig_metrics import RIG_METRICS
from minertui.model.seams import Link
from minertui.model.text import clean, path_text

DAY_S = 86_400.0
_POINTS = 1440  # one a minute
_NAMED = 4  # files that are named one by one


async def export_history(link: Link, device: str, now_s: float, folder: Path | None = None) -> tuple[Path, ...]:
    """Write the last day of ``device`` as CSV and JSON into ``folder`` (default: the current one). Raises
    MinertuiError when the engine has it not, or when the folder cannot be written to."""
    series = await link.history(device, [m.id for m in METRICS], now_s - DAY_S, now_s, _POINTS)
    return _saved(series, now_s, folder)


async def export_rig(link: Link, devices: Sequence[str], now_s: float, folder: Path | None = None) -> tuple[Path, ...]:
    """As ``export_history``, of a rig and its boards (``rig/board``): two files each."""
    paths: list[Path] = []
    for device in devices:
        series = await link.history(device, [m.id for m in RIG_METRICS], now_s - DAY_S, now_s, _POINTS)
        paths += _saved(series, now_s, folder)
    return tuple(paths)


def _saved(series: Series, now_s: float, folder: Path | None) -> tuple[Path, Path]:
    stem = f"minertui-{file_stem(series.device)}-{datetime.fromtimestamp(now_s, tz=UTC):%Y%m%dT%H%M%SZ}"
    json = msgspec.json.format(msgspec.json.encode(series)).decode()
    return save_text(as_csv(series), f"{stem}.csv", folder), save_text(json, f"{stem}.json", folder)


def save_picture(svg: str, of: str, now_s: float, folder: Path | None = None) -> Path:
    """Write a picture of the screen; ``of``: the miner or the place that it shows."""
    return save_text(
        svg, f"minertui-{file_stem(of)}-{datetime.fromtimestamp(now_s, tz=UTC):%Y%m%dT%H%M%SZ}.svg", folder
    )


def as_csv(series: Series) -> str:
    """A line per bucket: time (ISO 8601, UTC), then a column per metric; unknown is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    known = [*(m.id for m in METRICS), *(m.id for m in RIG_METRICS)]
    columns = [id_ for id_ in known if id_ in series.mean]
    writer.writerow([cell("device"), "at", *columns])
    name = cell(series.device)
    for n, at_s in enumerate(series.at_s):
        values = (series.mean[c][n] for c in columns)
        at = datetime.fromtimestamp(at_s, tz=UTC).isoformat(timespec="seconds")
        writer.writerow([name, at, *("" if v is None else f"{v:g}" for v in values)])
    return out.getvalue()


def cell(text: str) -> str:
    """Foreign text in a CSV cell: cleaned, and never a spreadsheet's formula."""
    text = clean(text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def file_stem(name: str) -> str:
    """A device's name as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[:60] or "device"


def told(paths: Sequence[Path]) -> str:
    """Where files of one folder were saved, in a sentence; of many of them how many."""
    folder = path_text(paths[0].parent)
    if len(paths) > _NAMED:
        return f"Saved {len(paths)} files in {folder}: {paths[0].name}, …"
    return f"Saved in {folder}: {', '.join(path.name for path in paths)}"


def save_text(text: str, name: str, folder: Path | None = None) -> Path:
    """Write ``text`` to a new file in ``folder``; where ``name`` is taken a number is added. Returns its whole path.
    Raises MinertuiError when it cannot be written."""
    try:
        base = (folder or Path()).absolute() / name
    except OSError as error:
        raise MinertuiError("the folder minertui was started in is gone; start minertui in another one") from error
    for n in range(1, 1000):
        path = base if n == 1 else base.with_name(f"{base.stem}-{n}{base.suffix}")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        except OSError as error:
            where = path_text(path.parent)
            raise MinertuiError(
                f"cannot write to {where}: {error.strerror}; start minertui in another folder"
            ) from error
        return path
    raise MinertuiError(f"{base} and 998 more of its name are taken; move them away")
