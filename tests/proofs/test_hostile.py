"""The real program in a pseudo terminal on miners that attack it, shortly. Every place, longer: ``make hostile``."""

from __future__ import annotations

import pytest

from minertui.model.text import clean
from tests.proofs.hostile import Held, attacked, attacks
from tests.proofs.hostile_looks import WALK, inner_texts, is_attack_seen
from tests.proofs.hostile_world import SECRETS
from tests.tui.pictures import PAYLOADS


async def test_no_attack_gets_through_and_no_secret_gets_out():
    held = await attacked(3, WALK, pause_s=0.08, watch_s=2.0, speed=4.0)
    assert sorted(set(held.wrong())) == []
    assert held.texts["its end"] == "code 0"
    screen = held.terminals["the screen"]
    assert b"the engine goes on" in screen
    # the attack took place: it is seen everywhere, as harmless text
    assert is_attack_seen(screen.decode(errors="ignore"))
    for name in ("status", "status --json", "probe m0", "logs", "duco balance"):
        assert is_attack_seen(held.texts[name]), (name, held.texts[name])
    assert "would be done" in held.texts["pools m0"]
    assert "without a user and an @" in held.texts["pools m1"]
    assert "is not taken over" in held.texts["status, wrong config"]
    assert '"snapshots"' in held.texts["right token"]
    assert all(held.texts[f"{which} token"].startswith("401 ") for which in ("wrong", "shown", "none"))
    assert "*****" in held.files["record.json"].decode()
    assert set(held.files) >= {"state/records.db", "records.db as SQL", "record.json"}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_each_payload_is_known_again_when_it_was_made_harmless(payload: str):
    assert is_attack_seen(f"the server says: {clean(payload)}")
    assert not is_attack_seen("the server says: no such user")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_judge_of_the_terminal_sees_each_payload(payload: str):
    """All that acts on a terminal and none of what is text; the screen's own sequences are not counted."""
    own = "\x1b[?1049h\x1b[1;31mtext\x1b[0m\x1b[2;3H\x1b]22;default\x07\x1b]52;c;MTI3LjAuMC4x\x07"
    assert attacks(own.encode()) == []
    acts = not payload.replace("\n", "").replace("\r", "").replace("\t", "").isprintable()
    assert bool(attacks((own + payload + "more" + own).encode())) == acts


def test_the_judge_of_texts_sees_secrets_control_characters_and_what_others_may_read():
    held = Held()
    held.texts = {"a": "fine\n", "b": "\x9b", "c": SECRETS["key"], "e": '{"x": ["\\u001b"]}\n'}
    held.files = {"d.db": b"\x00" + SECRETS["wifi"].encode()}
    held.alerts = [b'{"title": "\\u202e", "message": ""}', b""]
    held.open = ["rigs.db"]
    assert list(held.wrong()) == [
        "b: '\\x9b'",
        "e, in JSON: '\\x1b'",
        "an alert: '\\u202e'",
        "d.db tells the secret “wifi”",
        "c tells the secret “key”",
        "rigs.db is open to others",
    ]
    assert inner_texts('{\n "a": {"b": ["c"]}\n}') == ["a", "b", "c"]
    assert inner_texts('{"a": 1}\n["b"]\nno JSON') == ["a", "b"]
