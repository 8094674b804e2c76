"""How many jobs a board may still do."""

from __future__ import annotations

from minertui.model.relay import BoardView, LimitBoard
from minertui.tui.dialogs.fields import Answers, Number
from minertui.tui.dialogs.form import Form


class LimitDialog(Form[LimitBoard]):
    """Gives the order; empty lifts the limit."""

    AGREE = "Set"

    def __init__(self, board: BoardView) -> None:
        self.board = board
        field = Number(
            "jobs", "Jobs", lowest=1, highest=1_000_000, whole=True, optional=True, hint="no limit",
            about="After so many it rests.",
        )  # fmt: skip
        super().__init__(f"{board.name}: so many jobs, then rest", (field,), {"jobs": board.left})

    def build(self, answers: Answers) -> LimitBoard:
        """For the board given."""
        return LimitBoard(self.board.name, answers["jobs"])
