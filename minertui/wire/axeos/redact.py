"""A recorded answer without what identifies a person, every other byte as it was.

It works on the text and not on the decoded value: an answer that is broken, or writes its numbers in an odd way, is the
one most worth recording. Replaced are texts under telling names, and hardware addresses, IP addresses and wallets
wherever they stand.
"""

from __future__ import annotations

import json
import re

_TEXT = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'  # an answer may be cut off within a text
_TOKENS = re.compile(rf"(?P<first>{_TEXT})(?:(?P<colon>\s*:\s*)(?P<value>{_TEXT}))?", re.DOTALL)

_EXAMPLES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(name, re.IGNORECASE), example)
    for name, example in (
        (r"mac(addr)?$", "02:00:00:00:00:01"),
        (r"pass(word|phrase)?$|secret|token|credential|^auth|otp|(api|private|mining)[-_]?key$", "*****"),
        (r"user$|worker|wallet|account", "bc1qexample.worker"),
        (r"ssid", "example"),
        (r"(full|mdns).*hostname$", "example-miner.local"),
        (r"hostname$", "example-miner"),
        (r"ipv?6", "2001:db8::10"),
        (r"^(host)?ip(v?4|addr(ess)?)?$|gateway|netmask", "192.0.2.10"),
        (r"url$|^host$|pool.*addr", "pool.example.org"),
        (r"cert$|pubkey$", ""),
        (r"address$", "example-bitcoin-address"),
        (r"scriptsig", "example-coinbase"),
    )
)
_ANYWHERE = {
    "mac": (r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b", "02:00:00:00:00:01"),
    "ipv4": (r"\b(?:\d{1,3}\.){3}\d{1,3}\b", "192.0.2.10"),
    "ipv6": (r"\b(?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f:]*|\b[0-9A-Fa-f]{1,4}::[0-9A-Fa-f:]+", "2001:db8::10"),
    "segwit": (r"\b(?:bc1|BC1|tb1|bcrt1)[0-9A-Za-z]{8,87}\b", "bc1qexample"),
    "legacy": (r"\b[13mn2][1-9A-HJ-NP-Za-km-z]{25,34}\b", "1example"),
    "mail": (r"[^\s\"\\@]+@[^\s\"\\@]+\.\w+", "user@example.org"),
}
_PERSONAL = re.compile("|".join(f"(?P<{name}>{pattern})" for name, (pattern, _) in _ANYWHERE.items()))


def redact(payload: bytes) -> bytes:
    """``payload`` with everything personal replaced by documentation examples. Works on any bytes; bytes that are no
    UTF-8 come out as U+FFFD."""
    text = payload.decode("utf-8", errors="replace")
    return _TOKENS.sub(_replace, text).encode()


def _replace(match: re.Match[str]) -> str:
    first, colon, value = match["first"], match["colon"], match["value"]
    if value is None:
        return _scrubbed(first)
    name = _read(first)
    if name.lower().endswith("version"):
        return match[0]  # "1.0.37.2" is no address
    example = next((example for pattern, example in _EXAMPLES if pattern.search(name)), None)
    if example is None or value == '""':
        return first + colon + _scrubbed(value)
    return first + colon + json.dumps(example)


def _scrubbed(text: str) -> str:
    return _PERSONAL.sub(lambda match: _ANYWHERE[match.lastgroup or ""][1], text)


def _read(token: str) -> str:
    try:
        return str(json.loads(token))
    except ValueError:
        return token[1:-1]
