"""The two CRC-8 of text dialects: Dallas/Maxim on DuinoCoinI2C_RPI slaves, CRC-8 on DuinoI2C_ESP workers.

Check values over ``123456789``: 161 and 244. Both start at 0, so a CRC of 0 is valid.
"""

from __future__ import annotations


def maxim(data: bytes) -> int:
    """CRC-8 Dallas/Maxim: polynomial 0x31, bits reflected (0x8C shifted right)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if crc & 1 else 0)
    return crc


def plain(data: bytes) -> int:
    """CRC-8: polynomial 0x07, bits as they come."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xFF
    return crc
