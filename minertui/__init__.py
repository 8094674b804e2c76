"""minertui: every miner you own on one terminal screen, and the safest controller they ever had."""

__version__ = "0.1.0"
