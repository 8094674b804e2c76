"""Who we talk to: one file a kind, which connects, reads, applies and closes. Kinds do not know each other."""

KINDS = ("axeos",)
"""The kinds of miners; ``devices/<kind>.py`` has ``connect``."""
