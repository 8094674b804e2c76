"""What an error says is plain text, whatever it quotes."""

from __future__ import annotations

from minertui.model.errors import ConfigError, DeviceError, MinertuiError, fault_of_ours

HOSTILE = "a\x1b]0;b\x07c\u202ed"
PLAIN = "a\ufffd]0;b\ufffdc\ufffdd"


def test_no_error_carries_what_a_terminal_could_act_upon() -> None:
    assert str(MinertuiError(HOSTILE)) == PLAIN
    assert str(DeviceError("m", HOSTILE)) == f"m: {PLAIN}"
    assert ConfigError(HOSTILE, key=HOSTILE).message == PLAIN
    assert fault_of_ours(ValueError(HOSTILE)) == f"a fault of this program (ValueError: {PLAIN})"
