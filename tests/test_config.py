"""The config decodes, and says where it does not."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import msgspec
import pytest
import tomli_w

from minertui.config import (
    AlertsConfig,
    ApiConfig,
    Config,
    EngineConfig,
    MinerConfig,
    ScreenConfig,
    Secret,
    decode,
    exposure,
    keys_of,
    load,
)
from minertui.config_rigs import RigConfig
from minertui.model.errors import ConfigError
from minertui.model.plans import Goal, GuardPlan, Limits, SweepPlan
from minertui.model.relay import BoardPlan, RelayPlan
from minertui.model.text import is_plain
from tests.tui.pictures import PAYLOADS

EXAMPLE = Path(__file__).resolve().parents[1] / "config.example.toml"
HERE = Path("config.toml")
TABLES: dict[str, type[msgspec.Struct]] = {
    "engine": EngineConfig,
    "api": ApiConfig,
    "limits": Limits,
    "sweep": SweepPlan,
    "guard": GuardPlan,
    "alerts": AlertsConfig,
    "screen": ScreenConfig,
    "miner": MinerConfig,
    "rig": RigConfig,
    "rig.board": BoardPlan,
}
OFF = re.compile(r"^# (\w+ = .*)$", re.MULTILINE)


def text(*lines: str) -> bytes:
    return "\n".join(lines).encode()


RIG = ("[[rig]]", 'name = "r"', 'user = "alice"')
BOARD = ("[[rig.board]]", 'name = "b"', 'at = "i2c:1:20"')
MINER = ("[[miner]]", 'name = "a"', 'address = "10.0.0.1"')


class TestExample:
    def test_decodes_and_shows_the_defaults(self) -> None:
        config = load(EXAMPLE)
        general = msgspec.structs.replace(config, miner=(), rig=())
        assert general == Config()

    def test_every_key_that_is_off_can_be_turned_on(self) -> None:
        config = decode(
            OFF.sub(r"\1", EXAMPLE.read_text())
            .replace("urls_file", "# urls_file")
            .replace("mining_key =", "# mining_key =")
            .encode(),
            EXAMPLE,
        )
        assert config.limits.max_power_w == 40
        assert config.guard.low_mhz == 410
        assert config.miner[0].poll_s == 10
        assert config.rig[0].board[0].max_difficulty == 60

    def test_a_rig_without_its_examples_has_the_defaults(self) -> None:
        (rig,) = load(EXAMPLE).rig
        assert rig == RigConfig("attic", "alice", board=(BoardPlan("pro mini 1", rig.board[0].at),))
        assert rig.plan == RelayPlan("attic", "alice", board=rig.board)

    @pytest.mark.parametrize("section", TABLES)
    def test_mentions_every_key(self, section: str) -> None:
        whole = EXAMPLE.read_text()
        start = re.search(rf"^\[+{re.escape(section)}\]+$", whole, re.MULTILINE)
        assert start, section
        following = re.search(r"^\[\[?[\w.]+\]", whole[start.end() :], re.MULTILINE)
        part = whole[start.end() : start.end() + following.start()] if following else whole[start.end() :]
        inner = {"miner": {"limits", "sweep", "guard"}, "rig": {"board"}}.get(section, set())
        for key in set(keys_of(TABLES[section])) - inner:
            assert re.search(rf"^(# )?{key} = .*#? ?\w*", part, re.MULTILINE), f"[{section}] {key} is not explained"
        for name in inner:
            assert f"[{section}.{name}]" in whole


class TestRefusals:
    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            (
                [*MINER, "[[miner]]", 'name = "b"', 'adress = "x"'],
                "miner[2].adress: unknown key; did you mean address?",
            ),
            (
                ["[screen.keys]", 'rows.up = "ctrl+k"'],
                'config.toml:2: screen.keys.rows.up: a name with a dot in it stands in quotes; write "rows.up" = …',
            ),
            (
                ["[screen.keys]", '"rows.up" = 5'],
                'config.toml:2: screen.keys.rows.up: write the key in quotes, such as "ctrl+t" or "E,f5"',
            ),
            (["[swep]"], "config.toml:1: swep: unknown key; did you mean sweep?"),
            (["[engine]", "colour = 3"], "allowed: poll_s, log_level, readonly"),
            (["", "[engine]", "poll_s = 1"], "config.toml:3: engine.poll_s: must be 2 to 3600, not 1"),
            (["[engine]", "poll_s = nan"], "must be 2 to 3600"),
            (["[engine]", 'poll_s = "5"'], "engine.poll_s: expected a number, got text in quotes"),
            (["[engine]", 'log_level = "loud"'], "allowed: debug, info, warning, error"),
            (["[sweep]", 'goal = "speed"'], "sweep.goal: allowed: hashrate, efficiency"),
            (["[sweep]", 'device = "a"'], "sweep.device: unknown key"),
            (["[sweep]", "min_mv = 1150", "max_mv = 1100"], "config.toml:2: sweep.min_mv: is above max_mv (1100)"),
            ([*MINER, "[miner.sweep]", "max_mv = 3000"], "config.toml:5: miner[1].sweep.max_mv: must be 800 to 2000"),
            (
                ["[limits]", "max_mhz = 55"],
                "config.toml:2: limits.max_mhz: must be 160 to 3000, not 55; no known chip works at so little: is a "
                "digit missing?",
            ),
            ([*MINER, "[miner.limits]", "max_mv = 799"], "config.toml:5: miner[1].limits.max_mv: must be 800 to 2000"),
            (["[guard]", "high_mhz = 52"], "guard.high_mhz: must be 160 to 3000, not 52; no known chip works"),
            (
                [*MINER, "[miner.limits]", "max_pwer_w = 3"],
                "miner[1].limits.max_pwer_w: unknown key; did you mean max_power_w?",
            ),
            (["[[miner]]", 'name = "a"'], "miner[1]: has no address; write address = …"),
            ([*MINER, *MINER], "config.toml:5: miner[2].name: “a” is the name of miner[1] too"),
            ([*MINER[:1], 'name = "a/b"', MINER[2]], "no slash"),
            ([*MINER[:2], 'address = "http://x"'], "no http://"),
            (["miner = 3"], "miner: write each miner as a table of its own: [[miner]]"),
            (["[engine", ""], "is not valid TOML"),
            (["a = 1", "a = 2"], "config.toml:2: is not valid TOML"),
            (["a = " + "[" * 100_000], "nested too deeply"),
            (["a = " + "1" * 5000], "holds a number that no config needs"),
            (["#" * 300_000], "larger than 256 KiB"),
            (["[api]", 'tcp = "127.0.0.1:1"'], "config.toml:2: api.tcp: needs a token_file beside it"),
            ([*RIG, "[[rig.board]]", 'name = "b"'], "rig[1].board[1]: has no at; write at = …"),
            ([*RIG, *BOARD, 'dialect = "x"'], "rig[1].board[1].dialect: allowed: auto, sketch, a, b, c, d"),
            (
                [*RIG, *BOARD, *BOARD[:1], 'name = "c"', BOARD[2]],
                "config.toml:9: rig[1].board[2].at: is the at of board[1] too",
            ),
            ([*RIG, *BOARD, *BOARD], "config.toml:8: rig[1].board[2].name: is the name of board[1] too"),
            ([*RIG, *BOARD[:2], 'at = "i2c:1:200"'], "rig[1].board[1].at: 'i2c:1:200': an I2C address is 1 to 119"),
            ([*RIG, *BOARD[:2], 'at = "ttyUSB0"'], "is no place of a board; write serial:"),
            ([*RIG, *BOARD, "max_difficulty = 700"], "rig[1].board[1].max_difficulty: must be 1 to 655, not 700"),
            ([*RIG, "balance_s = 10"], "rig[1].balance_s: must be 15 to 3600, not 10"),
            ([*RIG, "board = 3"], "write each board as a table of its own: [[rig.board]]"),
            ([*RIG, *BOARD, "worker_limit = 3"], "rig[1].board[1].worker_limit: unknown key"),
            (
                [*RIG, "worker_limit = 3", "workers_elsewhere = 3", *BOARD],
                "rig[1].board: more boards than worker_limit",
            ),
            ([*RIG, 'mining_key = "a,b"'], "rig[1].mining_key: the mining key cannot be sent"),
            (["[[rig]]", 'name = "a:b"', 'user = "u"'], "rig[1].name: a pool takes what follows a colon"),
            (["[[rig]]", 'name = "a"', 'user = "u,v"'], "rig[1].user: the user name may hold"),
            ([*RIG, 'pool = "somewhere"'], "rig[1].pool: write host:port"),
            ([*RIG, 'rest = "ftp://x"'], "rig[1].rest: write an address like https://server.duinocoin.com"),
            ([*MINER, "[[rig]]", 'name = "A"', 'user = "u"'], "rig[1].name: “A” is the name of miner[1] too"),
            (["rig = 3"], "rig: write each rig as a table of its own: [[rig]]"),
            (
                ["[[rig.board]]", 'name = "one"', 'at = "i2c:1:20"'],
                "boards belong to a rig: write [[rig]] with name and user above the first one",
            ),
            (["[alerts]", 'urls = ["env:NOT_SET_ANYWHERE"]'], "environment variable NOT_SET_ANYWHERE"),
            (["[alerts]", 'urls = ["file:/does/not/exist"]'], "needs the file /does/not/exist"),
        ],
    )
    def test_one_sentence_names_the_place(self, lines: list[str], said: str) -> None:
        with pytest.raises(ConfigError) as error:
            decode(text(*lines), HERE)
        assert said in str(error.value)
        assert "\n" not in str(error.value)

    def test_latin_1_names_the_line(self) -> None:
        with pytest.raises(ConfigError, match=r"config.toml:2: is not UTF-8"):
            decode(b"# a\n# \xe9\n", HERE)

    def test_a_folder_is_not_a_config(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="cannot be read"):
            load(tmp_path)


def test_no_file_is_no_miners(tmp_path: Path) -> None:
    assert load(tmp_path / "config.toml") == Config()


def test_a_miner_overrides_key_by_key() -> None:
    lines = ["[limits]", "max_power_w = 30", "max_mhz = 700", *MINER, "[miner.limits]", "max_mhz = 600"]
    lines += ["[miner.sweep]", 'goal = "efficiency"', "[sweep]", "step_mv = 10"]
    (miner,) = decode(text(*lines), HERE).miner
    assert miner.limits == Limits(max_power_w=30, max_mhz=600)
    assert (miner.sweep.goal, miner.sweep.step_mv) == (Goal.EFFICIENCY, 10)
    assert miner.guard == GuardPlan()


class TestSecrets:
    def test_never_show_themselves(self) -> None:
        config = decode(text(*MINER, 'headers = { Authorization = "canary-17" }'), HERE)
        secret = config.miner[0].headers["Authorization"]
        assert secret.reveal() == "canary-17"
        assert "canary-17" not in f"{config!r} {secret} {secret!r} {secret:>20}"
        with pytest.raises(TypeError):
            msgspec.json.encode(config)

    def test_references_are_fetched(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("A_HOOK", "json://one")
        (tmp_path / "hook").write_text("json://two\n")
        (tmp_path / "more").write_text("# a comment\n\njson://three\njson://four\n")
        file = tmp_path / "config.toml"
        file.write_text('[alerts]\nurls = ["env:A_HOOK", "file:hook"]\nurls_file = "more"\n')
        urls = load(file).alerts.urls
        assert [url.reveal() for url in urls] == ["json://one", "json://two", "json://three", "json://four"]

    def test_the_token_file_stands_beside_the_config(self, tmp_path: Path) -> None:
        config = decode(b'[api]\ntoken_file = "tokens"', tmp_path / "config.toml")
        assert config.api.token_file == str(tmp_path / "tokens")

    def test_a_mining_key_never_shows_itself(self, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("canary-23\n")
        file = tmp_path / "config.toml"
        file.write_text("\n".join([*RIG, 'mining_key = "file:key"']))
        (rig,) = load(file).rig
        assert rig.mining_key == Secret("canary-23")
        assert "canary-23" not in f"{rig!r} {rig.plan!r}"
        file.write_text("\n".join([*RIG, 'mining_key = "canary-23"']))
        file.chmod(0o644)
        assert "chmod 600" in (exposure(file) or "")

    def test_equal_by_value(self) -> None:
        assert Secret("a") == Secret("a") != Secret("b")
        assert len({Secret("a"), Secret("a")}) == 1

    @pytest.mark.parametrize(
        ("mode", "value", "warns"),
        [(0o644, "tgram://1", True), (0o600, "tgram://1", False), (0o644, "env:HOME", False)],
    )
    def test_others_may_read_it(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, value: str, warns: bool
    ) -> None:
        file = tmp_path / "config.toml"
        file.write_text(f'[alerts]\nurls = ["{value}"]\n')
        file.chmod(mode)
        with caplog.at_level(logging.WARNING):
            load(file)
        assert bool(exposure(file)) is warns
        assert ("chmod 600" in caplog.text) is warns
        assert "tgram" not in caplog.text


def places_for(text: str) -> list[dict[str, object]]:
    """Configs with ``text`` wherever one has a text, or a name of its own."""
    miner = {"name": "a", "address": "192.168.1.2"}
    board = {"name": text, "at": "serial:/dev/ttyUSB0"}
    return [
        {text: 1},
        {"engine": {text: 1}},
        {"engine": {"log_level": text}},
        {"miner": [{**miner, "name": text}]},
        {"miner": [{**miner, "address": text}]},
        {"miner": [{**miner, "tags": ["garage", text]}]},
        {"miner": [{**miner, "headers": {text: "x"}}]},
        {"screen": {"theme": text}},
        {"screen": {"keys": {"help": text}}},
        {"rig": [{"name": text, "user": "alice"}]},
        {"rig": [{"name": "r", "user": "alice", "software": text}]},
        {"rig": [{"name": "r", "user": "alice", "board": [board]}]},
    ]


@pytest.mark.parametrize("payload", [text for text in PAYLOADS if not is_plain(text)])
def test_what_a_terminal_acts_upon_is_refused_in_plain_words(payload: str) -> None:
    for table in places_for(payload):
        with pytest.raises(ConfigError) as error:
            decode(tomli_w.dumps(table).encode(), HERE)
        assert is_plain(str(error.value)), table


def test_a_secret_that_cannot_be_one_is_not_repeated() -> None:
    for lines in (
        [*MINER, 'headers = { Authorization = "canary-5\\u001b" }'],
        [*MINER, 'headers = "canary-5"'],
        ["[alerts]", 'urls = "canary-5"'],
        ["[alerts]", 'urls = ["canary-5\\n"]'],
        [*RIG, 'mining_key = "canary-5, with a comma"'],
        [*RIG, 'mining_key = ["canary-5"]'],
        [*RIG, 'rest = "http://u:canary-5@127.0.0.1"'],
    ):
        with pytest.raises(ConfigError) as error:
            decode(text(*lines), HERE)
        assert "canary-5" not in str(error.value)
