"""The real program in a pseudo terminal on miners that attack it, shortly. Every place, longer: ``make hostile``."""

from __future__ import annotations

import pytest

from tests.proofs.hostile import SECRETS, WALK, Held, attacked, attacks
from tests.tui.pictures import PAYLOADS

MARKUP = 6  # the first payloads are text that only a careless screen takes for more


async def test_no_attack_gets_through_and_no_secret_gets_out():
    held = await attacked(3, WALK, pause_s=0.08, watch_s=2.0)
    assert sorted(set(held.wrong())) == []
    assert held.texts["its end"] == "code 0"
    assert b"the engine goes on." in held.screen
    assert b"Traceback" not in held.screen
    # the attack took place: it is seen everywhere, as harmless text
    assert any(text.encode() in held.screen for text in ("ZXZpbA==", "漢字", "gnp.exe", *PAYLOADS[:MARKUP]))
    for name in ("status", "status --json", "probe m0", "logs"):
        assert any(payload in held.texts[name] for payload in PAYLOADS[:MARKUP]), (name, held.texts[name])
    assert "would be done" in held.texts["pools m0"]
    assert '"snapshots"' in held.texts["right token"]
    assert all(held.texts[f"{which} token"].startswith("401 ") for which in ("wrong", "shown", "none"))
    assert "*****" in held.files["record.json"].decode()
    assert set(held.files) >= {"state/records.db", "records.db as SQL", "record.json"}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_judge_of_the_terminal_sees_each_payload(payload: str):
    """All that acts on a terminal and none of what is text; the screen's own sequences are not counted."""
    own = "\x1b[?1049h\x1b[1;31mtext\x1b[0m\x1b[2;3H\x1b]22;default\x07\x1b]52;c;MTI3LjAuMC4x\x07"
    assert attacks(own.encode()) == []
    acts = not payload.replace("\n", "").replace("\r", "").replace("\t", "").isprintable()
    assert bool(attacks((own + payload + "more" + own).encode())) == acts


def test_the_judge_of_texts_sees_secrets_and_control_characters():
    held = Held()
    held.texts = {"a": "fine\n", "b": "\x9b", "c": SECRETS["key"]}
    held.files = {"d": b"\x00" + SECRETS["wifi"].encode()}
    held.alerts = [b'{"title": "\\u202e", "message": ""}', b""]
    assert list(held.wrong()) == [
        "b: '\\x9b'",
        "an alert: '\\u202e'",
        "d tells the secret “wifi”",
        "c tells the secret “key”",
    ]
