"""The pools of one miner, or of several at once: primary and fallback. Somebody else's address in here earns for
somebody else, so the exact difference is shown before anything is agreed to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from minertui.model.commands import SetPools
from minertui.model.fleet import Snapshot
from minertui.model.status import PoolSetting
from minertui.tui.dialogs.fields import Answers, Choice, Field, Invalid, Number, Words
from minertui.tui.dialogs.form import Form, difference
from minertui.tui.widgets.painted import Line, line
from minertui.tui.widgets.wording import whom

_SLOTS = (
    ("a", "Primary", "Host of the pool alone, without stratum+tcp:// and port."),
    ("b", "Fallback", "Host of the pool that is used while the primary does not answer."),
)
_TLS = ("off", "on", "own CA")
_NONE = PoolSetting(url="", port=0, user="")


def _fields(snapshot: Snapshot) -> tuple[Field, ...]:
    found: list[Field] = []
    for slot, title, about in _SLOTS:
        optional = slot == "b"
        found += [
            Words(f"{slot}_url", title, wide=True, optional=optional, about=about),
            Number(f"{slot}_port", "  port", width=8, lowest=1, highest=65_535, whole=True, optional=optional,
                   about="The pool's port, from its own page."),
            Words(f"{slot}_user", "  user", wide=True, optional=optional,
                  about="Who is paid: often a wallet address, a point and any worker's name."),
            Words(f"{slot}_password", "  password", wide=True, optional=True, secret=True, hint="keep the stored one",
                  about="Most pools take any, such as x."),
        ]  # fmt: skip
        if any(pool.tls is not None for pool in _pools(snapshot)):
            told = "on: encrypted; own CA: the same, by the certificate stored in the miner."
            found.append(Choice(f"{slot}_tls", "  TLS", choices=_TLS, width=12, about=told))
    return tuple(found)


def _pools(snapshot: Snapshot) -> tuple[PoolSetting, ...]:
    return snapshot.status.pools if snapshot.status else ()


class PoolsDialog(Form[SetPools]):
    """Gives both pools whole, as the first of ``snapshots`` stores them; ``for_another`` makes them fit the others. An
    empty password keeps the stored one; an empty fallback is left as it is stored."""

    AGREE = "Store"
    LABEL = 12

    def __init__(self, snapshots: Sequence[Snapshot]) -> None:
        self.stored = [_pools(snapshot) for snapshot in snapshots]
        self.before = self.stored[0]
        values: dict[str, object] = {}
        for (slot, *_), pool in zip(_SLOTS, self.before, strict=False):
            tls = _TLS[pool.tls] if pool.tls is not None and 0 <= pool.tls < len(_TLS) else "off"
            values |= {
                f"{slot}_url": pool.url,
                f"{slot}_port": pool.port or None,
                f"{slot}_user": pool.user,
                f"{slot}_tls": tls,
            }
        super().__init__(f"Pools of {whom([s.device for s in snapshots])}", _fields(snapshots[0]), values)

    def build(self, answers: Answers) -> SetPools:
        """Raises Invalid when a pool is half filled in or nothing would change."""
        pools = [self._pool(n, slot, title, answers) for n, (slot, title, _) in enumerate(_SLOTS)]
        result = SetPools(tuple(p for p in pools if p is not None))
        if not any(self._rows(result)):
            raise Invalid("", "Nothing changes yet; edit a value.")
        return result

    def _pool(self, n: int, slot: str, title: str, answers: Answers) -> PoolSetting | None:
        url, port, user = (answers[f"{slot}_{part}"] for part in ("url", "port", "user"))
        before = self.before[n] if n < len(self.before) else _NONE
        if not url and not user and not before.url:
            return None
        for part, value in (("url", url), ("port", port), ("user", user)):
            if not value:
                raise Invalid(f"{slot}_{part}", f"{title} pool: the {part} is missing.")
        if any(mark in url for mark in "/ @"):
            raise Invalid(f"{slot}_url", f"{title} pool: write the host alone, without stratum+tcp://, user and port.")
        tls = before.tls
        if f"{slot}_tls" in answers and (before.tls is not None or answers[f"{slot}_tls"] != "off"):
            tls = _TLS.index(answers[f"{slot}_tls"])
        return msgspec.structs.replace(
            before, url=url, port=port, user=user, password=answers[f"{slot}_password"] or None, tls=tls
        )

    def preview(self, answers: Answers, result: SetPools) -> Sequence[Line]:
        """Every member that differs on one of them, before and after."""
        lines: list[Line] = []
        for what, old, new in self._rows(result):
            if len(old) + len(new) > 44:  # a wallet must be read whole
                lines += [line((what, "dim")), line((f"  - {old}", "dim")), line((f"  + {new}", "strong"))]
            else:
                lines += difference([(what, old, new)])
        return [*lines, line(("The miner uses them after its next restart or reconnect.", "dim"))]

    def _rows(self, result: SetPools) -> Iterator[tuple[str, str, str]]:
        for n, pool in enumerate(result.pools):
            befores = [pools[n] if n < len(pools) else _NONE for pools in self.stored]
            title = _SLOTS[n][1].lower()
            for part in ("url", "port", "user", "tls"):
                olds, new = [getattr(before, part) for before in befores], getattr(pool, part)
                if any(old != new for old in olds):
                    yield f"{title} {part}", str(olds[0] or "—") if len(set(olds)) == 1 else "(they differ)", str(new)
            if pool.password is not None:
                yield f"{title} password", "•••", "••• (new)"


def for_another(asked: SetPools) -> SetPools:
    """What was asked of one miner, for another: where and how it mines. In which slot that is stored, and what else
    the slot holds, is that miner's own."""
    return SetPools(tuple(msgspec.structs.replace(p, slot=None, extra={}, tls=p.tls or 0) for p in asked.pools))
