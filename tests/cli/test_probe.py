"""``minertui probe`` against a small HTTP server of ours."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator

import pytest

from minertui.cli.main import main
from minertui.wire.axeos import parse_info
from tests.ports import held_port


class Miner:
    """Serves bytes by path from a thread, as the command runs its own event loop."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers = answers
        self.seen: list[str] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                    self.seen.append(head)
                    body = self.answers.get(head.split()[1], b"")
                    code = "200 OK" if body else "404 Not Found"
                    writer.write(f"HTTP/1.1 {code}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        async def run() -> None:
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            self._stop = asyncio.Event()
            self._ready.set()
            await self._stop.wait()
            server.close()

        self._loop.run_until_complete(run())
        self._loop.close()

    def __enter__(self) -> Miner:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)


@pytest.fixture
def gamma(recorded) -> Iterator[Miner]:
    folder = recorded / "axeos"
    info = json.loads((folder / "info_v2.15.3_gamma601_bm1370.json").read_bytes())
    info |= {"fluxCapacitor": 1.21, "ssid": "Casa Lupo", "macAddr": "A4:CF:12:9B:00:7E"}
    answers = {
        "/api/system/info": json.dumps(info).encode(),
        "/api/system/asic": (folder / "asic_v2.15.3_gamma601.json").read_bytes(),
        "/api/system/statistics": (folder / "statistics_v2.15.3_gamma601.json").read_bytes(),
    }
    with Miner(answers) as miner:
        yield miner


def probe(tmp_path, *args: str) -> int:
    return main(["probe", "--config", str(tmp_path / "config.toml"), *args])


def test_it_prints_every_known_field_with_its_unit(gamma, tmp_path, capsys):
    assert probe(tmp_path, f"127.0.0.1:{gamma.port}") == 0
    text = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == f"Gamma at 127.0.0.1:{gamma.port}"
    for line in (
        "hashrate 1039.52 GH/s",
        "total hashes 3801481049 GH",
        "chip temp 65.125 °C",
        "input 4976.56 mV",
        "core set 1100 mV",
        "core 1093 mV",
        "fan auto yes",
        "pool user bc1qex…rker",
        "pools slot 0: pool.example.org:3333 as bc1qex…rker",
        "slot 1: fallback.example.org:3333 as bc1qex…rker",
        "chips 1040 GH/s, 835530 errors, domains 253 281 217 286",
        "reject reasons Job not found: 11",
        "not understood: fluxCapacitor",
    ):
        assert line in lines, line
    assert any(line.startswith("abilities") and "tune-live" in line for line in lines)
    missing = next(line for line in lines if line.startswith("not told by this firmware:"))
    assert "other chip temp" in missing
    assert "highest core" in missing
    assert len(gamma.seen) == 2


def test_a_recording_is_redacted_and_can_be_parsed_again(gamma, tmp_path, capsys):
    file = tmp_path / "gamma.json"
    assert probe(tmp_path, f"127.0.0.1:{gamma.port}", "--record", str(file)) == 0
    text = file.read_text()
    assert "Lupo" not in text
    assert "A4:CF" not in text
    recording = json.loads(text)
    assert (recording["kind"], recording["model"], recording["firmware"]) == ("axeos", "Gamma", "v2.15.3")
    assert set(recording["answers"]) == set(gamma.answers)
    again = parse_info(
        recording["answers"]["/api/system/info"].encode(), recording["answers"]["/api/system/asic"].encode()
    )
    assert (again.hashrate_ghs, again.mac, again.chip_count) == (1039.515625, "02:00:00:00:00:01", 1)
    asked = len(gamma.seen)
    capsys.readouterr()
    assert probe(tmp_path, f"127.0.0.1:{gamma.port}", "--record", str(file)) == 1
    out = capsys.readouterr()
    assert (out.out, "exists already" in out.err) == ("", True)
    assert (file.read_text(), len(gamma.seen)) == (text, asked)


def test_where_no_recording_can_be_written_nobody_is_asked(gamma, tmp_path, capsys, monkeypatch):
    assert probe(tmp_path, f"127.0.0.1:{gamma.port}", "--record", str(tmp_path / "not" / "there.json")) == 1
    assert "there is no such folder" in capsys.readouterr().err
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert probe(tmp_path, f"127.0.0.1:{gamma.port}", "--record", str(tmp_path / "new.json")) == 1
    assert "not yours to write to" in capsys.readouterr().err
    assert not gamma.seen


def test_a_recording_may_be_looked_at_on_a_terminal(gamma, tmp_path):
    evil = "\x9b31m\u202e\u2028\x7f"
    told = json.loads(gamma.answers["/api/system/info"]) | {"new": evil, "version": f"v2.15.3{evil}"}
    gamma.answers["/api/system/info"] = json.dumps(told, ensure_ascii=False).encode()
    file = tmp_path / "gamma.json"
    assert probe(tmp_path, f"127.0.0.1:{gamma.port}", "--record", str(file)) == 0
    assert all(c.isprintable() or c == "\n" for c in file.read_text())
    assert evil in json.loads(file.read_text())["answers"]["/api/system/info"]


def test_an_answer_that_cannot_be_read_is_recorded_and_said(tmp_path, capsys):
    file = tmp_path / "odd.json"
    with Miner({"/api/system/info": b'{"ssid": "Casa Lupo", "odd": '}) as miner:
        assert probe(tmp_path, f"127.0.0.1:{miner.port}", "--record", str(file)) == 1
    assert "not JSON" in capsys.readouterr().err
    assert json.loads(file.read_text())["answers"] == {"/api/system/info": '{"ssid": "example", "odd": '}


def test_a_miner_of_the_config_is_probed_by_name_with_its_headers(gamma, tmp_path, capsys):
    (tmp_path / "config.toml").write_text(
        f'[[miner]]\nname = "attic"\naddress = "127.0.0.1:{gamma.port}"\nheaders = {{ X-OTP-Session = "canary" }}\n'
    )
    assert probe(tmp_path, "attic") == 0
    assert all("canary" in head for head in gamma.seen)
    out = capsys.readouterr()
    assert "canary" not in out.out + out.err


@pytest.mark.parametrize(
    ("address", "words"),
    [("169.254.169.254", "no address of a miner"), ("ftp://x", "plain http"), ("127.1", "four numbers")],
)
def test_bad_addresses_are_one_sentence(tmp_path, capsys, address, words):
    assert probe(tmp_path, address) == 1
    err = capsys.readouterr().err
    assert words in err
    assert len(err.splitlines()) == 1


def test_nobody_there_says_what_to_do(tmp_path, capsys):
    with held_port() as port:
        assert probe(tmp_path, f"127.0.0.1:{port}") == 1
    assert "check that the miner is on" in capsys.readouterr().err
