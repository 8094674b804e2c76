"""Commands in the spelling of each firmware."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from minertui.model.commands import ClearOverheat, Identify, Pause, Restart, Resume, SetFan, SetPools, Tune
from minertui.model.errors import Unsupported
from minertui.model.status import MinerStatus, PoolSetting
from minertui.wire.axeos import encode, parse_info

V203 = "info_v2.1.3_ultra0.11_bm1366.json"
V210 = "info_v2.10.1_gamma601_bm1370.json"
V212 = "info_v2.12.2_gamma601_bm1370_wiki.json"
V215 = "info_v2.15.3_gamma601_bm1370.json"
NERD = "info_nerdqaxepp_V1.0.37.2-LTS.json"


@pytest.fixture
def status(recorded):
    return lambda name: parse_info((recorded / "axeos" / name).read_bytes())


def sent(command, status: MinerStatus) -> dict[str, Any]:
    request = encode(command, status)
    assert (request.method, request.path) == ("PATCH", "/api/system")
    assert request.body is not None
    body = json.loads(request.body)
    assert isinstance(body, dict)
    return body


def exactly(body: object) -> str:
    """With the types: 1, 1.0 and true are different things to NerdQAxe."""
    return json.dumps(body, sort_keys=True)


@pytest.mark.parametrize(
    ("name", "command", "body"),
    [
        (V215, Tune(600.0, 1175), {"frequency": 600, "coreVoltage": 1175}),
        (V215, Tune(frequency_mhz=606.25), {"frequency": 606.25}),
        (V203, Tune(core_mv=1200), {"coreVoltage": 1200}),
        (NERD, Tune(550.0, 1200), {"frequency": 550, "coreVoltage": 1200}),
        (V215, SetFan(auto=False, pct=80), {"autofanspeed": False, "manualFanSpeed": 80}),
        (V212, SetFan(auto=True, target_c=58, min_pct=20), {"autofanspeed": True, "temptarget": 58, "minFanSpeed": 20}),
        (V210, SetFan(auto=False, pct=80), {"autofanspeed": 0, "fanspeed": 80}),
        (V203, SetFan(auto=True), {"autofanspeed": 1}),
        (NERD, SetFan(auto=True, target_c=60), {"autofanspeed": 2, "pidTargetTemp": 60}),
        (NERD, SetFan(auto=False, pct=70), {"autofanspeed": 0, "manualFanSpeed": 70}),
        (V215, ClearOverheat(), {"overheat_mode": 0}),
    ],
)
def test_settings_are_spelt_for_the_firmware(status, name, command, body):
    assert exactly(sent(command, status(name))) == exactly(body)


def test_nerdqaxe_builds_before_fan_modes_take_a_flag():
    told = {"hostip": "10.0.0.9", "frequency": 490, "coreVoltage": 1200, "autofanspeed": 1, "fanspeed": 60, "fanrpm": 1}
    old = parse_info(json.dumps(told).encode())
    assert exactly(sent(SetFan(auto=False, pct=50), old)) == exactly({"autofanspeed": False, "fanspeed": 50})


@pytest.mark.parametrize(
    ("name", "command", "path"),
    [
        (V203, Restart(), "/api/system/restart"),
        (V215, Pause(), "/api/system/pause"),
        (V215, Resume(), "/api/system/resume"),
        (NERD, Pause(), "/api/system/shutdown"),
        (NERD, Resume(), "/api/system/restart"),
        (V212, Identify(), "/api/system/identify"),
    ],
)
def test_actions_are_posts_without_a_body(status, name, command, path):
    request = encode(command, status(name))
    assert (request.method, request.path, request.body) == ("POST", path, None)


@pytest.mark.parametrize(
    ("name", "command", "words"),
    [
        (V212, Pause(), "pause"),
        (V210, Identify(), "greet"),
        (NERD, Identify(), "greet"),
        (V203, SetFan(target_c=60), "temperature"),
        (V203, SetFan(min_pct=20), "lowest"),
        (NERD, SetFan(min_pct=20), "lowest"),
        (NERD, ClearOverheat(), "overheat"),
        (NERD, Tune(frequency_mhz=525.5), "whole MHz"),
        (V203, Tune(frequency_mhz=525.5), "whole MHz"),
        (V215, Tune(frequency_mhz=0), "1 to 65535"),
        (V215, Tune(core_mv=70_000), "1 to 65535"),
        (V215, Tune(frequency_mhz=float("nan")), "1 to 65535"),
        (V215, Tune(), "nothing to set"),
        (V215, SetFan(pct=101), "0 to 100"),
        (V215, SetFan(target_c=70), "35 to 66"),
        (V215, SetPools(()), "nothing to set"),
        (V215, SetPools((PoolSetting("", 3333, "me"),)), "pool address"),
        (V215, SetPools((PoolSetting("p.example.org", 0, "me"),)), "pool port"),
        (V215, SetPools((PoolSetting("p.example.org", 1, "u" * 256),)), "pool user"),
        (
            V215,
            SetPools((PoolSetting("a.example.org", 1, "u", slot=2), PoolSetting("b.example.org", 1, "u", slot=2))),
            "same slot",
        ),
        (V215, SetPools((PoolSetting("a.example.org", 1, "u", slot=8),)), "0 to 7"),
        (V203, SetPools((PoolSetting("a.example.org", 1, "u"),) * 2), "no fallback"),
        (V212, SetPools((PoolSetting("a.example.org", 1, "u"),) * 3), "two pools"),
        (V212, SetPools((PoolSetting("a.example.org", 1, "u", tls=1),)), "TLS"),
    ],
)
def test_what_a_firmware_cannot_is_said_in_one_sentence(status, name, command, words):
    with pytest.raises(Unsupported, match=words):
        encode(command, status(name))


def test_a_miner_without_fields_can_only_be_restarted():
    bare = MinerStatus(firmware="v9")
    for command in (Tune(500, 1100), SetFan(pct=50), SetPools((PoolSetting("a.example.org", 1, "u"),)), Pause()):
        with pytest.raises(Unsupported, match="v9"):
            encode(command, bare)
    assert encode(Restart(), bare).path == "/api/system/restart"


def test_a_slot_is_written_whole(status):
    body = sent(SetPools((PoolSetting("new.example.org", 3334, "me.worker"),)), status(V215))
    assert body == {
        "pools": [
            {
                "id": 0,
                "stratumURL": "new.example.org",
                "stratumPort": 3334,
                "stratumUser": "me.worker",
                "stratumPassword": "*****",
                "stratumProtocol": "SV1",
                "stratumSuggestedDifficulty": 1000,
                "stratumExtranonceSubscribe": False,
                "stratumTLS": 0,
                "stratumCert": "x",
                "stratumDecodeCoinbase": True,
                "stratumV2ChannelType": "extended",
                "stratumV2AuthorityPubkey": "",
                "stratumV2RequireAuth": False,
            }
        ]
    }


def test_writing_back_what_was_read_changes_nothing(status, recorded):
    told = json.loads((recorded / "axeos" / V215).read_bytes())
    now = status(V215)
    assert sent(SetPools(now.pools), now) == {"pools": told["pools"]}


def test_swapping_slots_moves_the_choice_and_a_new_pool_takes_a_free_slot(status):
    now = status(V215)
    primary, fallback = now.pools
    swapped = sent(SetPools((fallback, primary)), now)
    assert (swapped["primaryPoolIndex"], swapped["secondaryPoolIndex"]) == (1, 0)
    new = PoolSetting("new.example.org", 1, "me", password="secret", tls=2, protocol="SV2")
    added = sent(SetPools((fallback, new)), now)
    assert [pool["id"] for pool in added["pools"]] == [1, 2]
    assert added["pools"][1] == {
        "id": 2,
        "stratumURL": "new.example.org",
        "stratumPort": 1,
        "stratumUser": "me",
        "stratumPassword": "secret",
        "stratumTLS": 2,
        "stratumProtocol": "SV2",
    }


def test_flat_pools_send_what_is_set_and_no_more(status):
    now = status(V212)
    primary, fallback = now.pools
    pools = (
        msgspec.structs.replace(primary, url="new.example.org", extra={}),
        msgspec.structs.replace(fallback, password="x"),
    )
    assert sent(SetPools(pools), now) == {
        "stratumURL": "new.example.org",
        "stratumPort": 21496,
        "stratumUser": "bc1qexample.worker",
        "fallbackStratumURL": "solo.ckpool.org",
        "fallbackStratumPort": 3333,
        "fallbackStratumUser": "bc1qexample.worker",
        "fallbackStratumPassword": "x",
        "fallbackStratumSuggestedDifficulty": 1000,
        "fallbackStratumExtranonceSubscribe": 0,
    }


def test_nerdqaxe_pools_keep_its_types(status):
    now = status(NERD)
    body = sent(SetPools((msgspec.structs.replace(now.pools[0], tls=0, protocol="SV2"), now.pools[1])), now)
    assert exactly({k: v for k, v in body.items() if "TLS" in k or "Protocol" in k or "Enonce" in k}) == exactly(
        {
            "stratumTLS": False,
            "stratumProtocol": 1,
            "stratumEnonceSubscribe": False,
            "fallbackStratumTLS": False,
            "fallbackStratumProtocol": 0,
            "fallbackStratumEnonceSubscribe": False,
        }
    )


def test_a_body_that_the_miner_would_refuse_is_not_sent(status):
    now = status(V215)
    long = {"stratumCert": "c" * 3000}
    pools = tuple(PoolSetting("a.example.org", 1, "u", slot=slot, extra=dict(long)) for slot in range(4))
    with pytest.raises(Unsupported, match="bytes"):
        encode(SetPools(pools), now)


def test_the_overheat_flag_had_another_name_in_2_1_9():
    told = {"ASICModel": "BM1366", "frequency": 50, "coreVoltage": 1000, "overheat": 1}
    assert sent(ClearOverheat(), parse_info(json.dumps(told).encode())) == {"overheat_mode": 0, "overheat": 0}
