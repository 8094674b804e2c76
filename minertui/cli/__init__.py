"""The commands of the program; nothing but wiring.

Each module ``minertui/cli/<name>.py`` has ``add(subparsers)``, which describes its command and sets ``run`` to a
function ``(args) -> int`` (the exit code). Heavy imports happen inside ``run``, so that ``--help`` is instant.
"""
