"""Look at a made-up fleet: ``python -m tests.tui.show [empty|normal|error|hostile] [options]``."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from minertui.model.fleet import Fleet
from minertui.tui.app import run
from minertui.tui.options import Options
from tests.tui import pictures
from tests.tui.fake_link import FakeLink

STATES: dict[str, Callable[[], Fleet]] = {
    "empty": pictures.empty,
    "normal": pictures.normal,
    "error": pictures.error,
    "hostile": pictures.hostile,
}


def main() -> int:
    """Run the screen on a fake link."""
    parser = argparse.ArgumentParser()
    parser.add_argument("state", nargs="?", default="normal", choices=STATES)
    parser.add_argument("--theme", default="dark")
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--readonly", action="store_true")
    args = parser.parse_args()
    link = FakeLink(STATES[args.state]())
    return run(link, Options(theme=args.theme, ascii=args.ascii, readonly=args.readonly, demo=True))


if __name__ == "__main__":
    raise SystemExit(main())
