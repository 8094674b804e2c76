"""The user's side at the master server: the mining key, checked before anything mines, and the balance.

Every error answer is a strike there, and ten strikes ban the address for an hour: so a "no" to the balance is not asked
again, and failures are asked again ever less often.
"""

from __future__ import annotations

from collections.abc import Callable

from minertui.jobs.duco_relay.balance import Performance
from minertui.jobs.duco_relay.seams import Outside, RelaySite
from minertui.model.account import AccountMiner, BalanceRow
from minertui.model.errors import DeviceError, JobError, Refused
from minertui.model.relay import KeyCheck, RelayPlan
from minertui.wire.duco import rest

SHORTEST_S, LONGEST_S = 15.0, 300.0
BANNED_S = 3600.0

_KEY = {rest.KeyState.NOT_NEEDED: KeyCheck.NOT_NEEDED, rest.KeyState.RIGHT: KeyCheck.RIGHT}


class Account:
    """Key and balance of one user."""

    def __init__(self, plan: RelayPlan, site: RelaySite, outside: Outside) -> None:
        self._plan, self._site, self._outside = plan, site, outside
        self._performance = Performance()
        self.miners: tuple[AccountMiner, ...] = ()
        self.key = KeyCheck.UNCHECKED
        self.words: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[BalanceRow, ...]:
        """Readings of the balance, newest last."""
        return self._performance.rows

    async def check_key(self, simulated: Callable[[], bool], changed: Callable[[], None]) -> None:
        """Returns when the key is right, or none is needed. Raises JobError when it is wrong, or the user unknown."""
        pause_s = SHORTEST_S
        while True:
            try:
                state = await self._key_state(simulated())
            except DeviceError as error:
                wait_s = BANNED_S if banned(error) else pause_s
                self.words = (f"the mining key cannot be checked: {error.message}; asked again in {wait_s:g} s",)
                changed()
                await self._site.sleep(wait_s)
                pause_s = min(LONGEST_S, 2 * pause_s)
                continue
            self.words = ()
            if state is rest.KeyState.WRONG:
                self.key = KeyCheck.WRONG
                changed()
                raise JobError(
                    f"the mining key of {self._plan.user} is wrong or missing; pools would take the shares and the "
                    "server would not pay them. Put the key of the wallet's settings into the config as mining_key"
                )
            self.key = _KEY[state]
            changed()
            return

    async def watch(self, simulated: Callable[[], bool], changed: Callable[[], None]) -> None:
        """Read the balance every ``balance_s``; ends at the first "no"."""
        period_s = max(rest.MIN_PERIOD_S, self._plan.balance_s)
        pause_s = period_s
        while True:
            try:
                await self._read(simulated())
                self.words, pause_s = (), period_s
            except DeviceError as error:
                if isinstance(error, Refused) and not banned(error):
                    self.words = (f"the balance is not shown: {error.message}",)
                    changed()
                    return
                pause_s = BANNED_S if banned(error) else max(period_s, min(LONGEST_S, 2 * pause_s))
                self.words = (f"the balance cannot be read: {error.message}; asked again in {pause_s:g} s",)
            changed()
            await self._site.sleep(pause_s)

    async def _key_state(self, loopback: bool) -> rest.KeyState:
        path = rest.mining_key_path(self._plan.user, self._site.mining_key or None)
        status, body = await self._outside.ask(self._plan.rest + path, loopback=loopback)
        return rest.parse_mining_key(body, status)

    async def _read(self, loopback: bool) -> None:
        began_s = self._site.now()
        status, body = await self._outside.ask(self._plan.rest + rest.users_path(self._plan.user), loopback=loopback)
        now_s = self._site.now()
        account = rest.parse_users(body, status)
        self.miners = told(account)
        self._performance.take(now_s, self._site.wall(), account, now_s - began_s)


def told(account: rest.Account) -> tuple[AccountMiner, ...]:
    """The user's miners, by rig."""
    miners = [
        AccountMiner(
            rig=row.identifier,
            software=row.software,
            pool=row.pool,
            difficulty=row.diff,
            accepted=row.accepted,
            rejected=row.rejected,
            rate_hs=row.hashrate,
            share_s=row.sharetime,
            ping_ms=row.pg,
            place=row.ki,
            iot=row.it or "",
        )
        for row in account.miners
    ]
    return tuple(sorted(miners, key=lambda miner: (miner.rig.casefold(), miner.place or 0)))


def banned(error: Exception) -> bool:
    """The server refuses this address for now."""
    return isinstance(error, Refused) and (error.auth or "too often" in error.message)
