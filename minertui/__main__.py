"""The command ``minertui``."""

from __future__ import annotations

import sys

from minertui.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
