"""A log file of a Duino-Coin balance: one per user, day and hour, a line per reading, with the balance itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from minertui.config_rigs import RigConfig
from minertui.model.account import BalanceRow
from minertui.model.errors import MinertuiError
from minertui.paths import expanded

_HEAD = "time\tbalance_duco\tping_ms\tminute_mduco\tminers\tserver_hs\n"


class BalanceLog:
    """Appends to ``duco-<user>-<day>T<hour>.tsv`` (local time) in ``folder``."""

    def __init__(self, folder: Path, user: str) -> None:
        self._folder, self._user = folder, re.sub(r"[^A-Za-z0-9._@-]", "_", user)

    def write(self, row: BalanceRow) -> None:
        """One reading more. Raises MinertuiError when the file cannot be written."""
        at = datetime.fromtimestamp(row.at_s, UTC).astimezone()
        path = self._folder / f"duco-{self._user}-{at:%Y-%m-%dT%H}.tsv"
        minute = "" if row.minute_mduco is None else f"{row.minute_mduco:.3f}"
        rest = (
            f"{row.miners if row.miners is not None else ''}\t{'' if row.server_hs is None else f'{row.server_hs:.0f}'}"
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = not path.exists()
            with path.open("a", encoding="utf-8") as file:
                file.write(_HEAD if fresh else "")
                file.write(f"{at:%H:%M:%S}\t{row.balance:.6f}\t{1000 * row.ping_s:.0f}\t{minute}\t{rest}\n")
        except OSError as error:
            raise MinertuiError(f"the balance cannot be logged to {path}: {error.strerror or error}") from error


def balance_log(rig: RigConfig) -> BalanceLog | None:
    """The one that the config wants."""
    return BalanceLog(expanded(rig.balance_log), rig.user) if rig.balance_log else None
