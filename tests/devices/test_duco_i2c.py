"""I2C through smbus2: single bytes as SMBus transfers, more as one message; errors say what to do."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from minertui.devices import duco_i2c


class Message:
    def __init__(self, address: int, data: bytes, count: int) -> None:
        self.address, self.data, self.count = address, data, count

    @staticmethod
    def write(address: int, data: bytes) -> Message:
        return Message(address, bytes(data), 0)

    @staticmethod
    def read(address: int, count: int) -> Message:
        return Message(address, b"", count)

    def __iter__(self) -> Any:
        return iter(self.data)


class SMBus:
    """A bus with a board at 20."""

    error: OSError | None = None

    def __init__(self, number: int) -> None:
        if self.error is not None:
            raise self.error
        self.calls: list[tuple[Any, ...]] = []

    def write_byte(self, address: int, value: int) -> None:
        self.calls.append(("byte", address, value))

    def read_byte(self, address: int) -> int:
        if address != 20:
            raise OSError(121, "Remote I/O error")
        return 10

    def i2c_rdwr(self, message: Message) -> None:
        self.calls.append(("message", message.address, message.data, message.count))
        message.data = message.data or b"  476"[: message.count]

    def close(self) -> None:
        self.calls.append(("closed",))


@pytest.fixture
def smbus(monkeypatch: pytest.MonkeyPatch) -> Any:
    module = SimpleNamespace(SMBus=type("Bus", (SMBus,), {}), i2c_msg=Message)
    monkeypatch.setitem(sys.modules, "smbus2", module)
    return module


def test_transfers(smbus: Any) -> None:
    bus = duco_i2c.connect("1")()
    bus.write(20, b"S")
    bus.write(20, b"L05b7406b")
    assert bus.read(20, 1) == b"\n"
    assert bus.read(20, 5) == b"  476"
    bus.close()
    assert bus._bus.calls == [
        ("byte", 20, ord("S")), ("message", 20, b"L05b7406b", 0), ("message", 20, b"", 5), ("closed",),
    ]  # fmt: skip
    assert not bus.simulated


def test_a_scan_finds_who_answers(smbus: Any) -> None:
    assert duco_i2c.connect("1")().scan() == (20,)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (FileNotFoundError(2, "no"), FileNotFoundError, "there is no I2C bus 1: turn I2C on"),
        (PermissionError(13, "no"), PermissionError, "add your user to the group i2c"),
    ],
)
def test_what_to_do(smbus: Any, error: OSError, kind: type[OSError], said: str) -> None:
    smbus.SMBus.error = error
    with pytest.raises(kind, match=said):
        duco_i2c.connect("1")()


def test_without_smbus2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smbus2", None)
    with pytest.raises(OSError, match="needs Linux and the package smbus2"):
        duco_i2c.connect("1")()
