"""What a soak showed: its samples, what they come to, and which targets were missed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from tests.proofs.growth import DAY_S, Trend, trend, verdict
from tests.proofs.held import Held
from tests.proofs.lateness import LATE_S, Looks
from tests.proofs.soak_engine import Sample

MEMORY_MB_DAY, MOVED = 1.0, 2
FILLED_S = 3900.0  # rings of an hour, and what they are written with; program seconds
FULL_S = 14_400.0  # where all that is full from the start: each weak miner's sweep, and the gaps in the heap
_MEMORY: tuple[tuple[str, Callable[[Held], float], int], ...] = (
    ("resident, MB", lambda h: h.memory_mb, 2),
    ("anonymous, MB", lambda h: h.anonymous_mb, 2),
    ("in use, MB", lambda h: h.in_use_mb, 2),
    ("SQLite's of it, MB", lambda h: h.sqlite_mb, 2),
    ("Python's blocks", lambda h: h.blocks, 0),
)
SHARES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0))
_ROW_B, _CHUNK_B, _OVERHEAD = 250, 57, 1.1  # docs/history.md: a summary, a sample of a chunk, what SQLite adds


class Run(msgspec.Struct, frozen=True):
    """How many, how long, how fast; ``seconds`` and ``poll_s`` of the program's time pass ``speed`` times faster."""

    seconds: float
    miners: int = 160
    poll_s: float = 10.0
    seed: int = 1
    speed: float = 1.0
    nice: int = 0

    @property
    def sample_s(self) -> float:
        """Real seconds between two samples: a look is worth a tenth of a second of the loop."""
        real_s = self.seconds / self.speed
        return min(60.0, max(15.0, real_s / 300), real_s / 24)

    @property
    def full(self) -> bool:
        """Does it begin with what otherwise fills for days?"""
        return self.seconds / self.speed >= 600


class Soaked(msgspec.Struct):
    """What a run showed. ``at_rest``: before the faults and after them."""

    run: Run
    samples: list[Sample] = []
    at_rest: list[Sample] = []
    faults: int = 0
    sweeps: int = 0
    past_mb: float = 0.0
    disk_mb: dict[str, float] = {}
    rows: int = 0

    def judged(self) -> list[Sample]:
        """What comes after the filling; of a run that is too short for that the second half."""
        full = [s for s in self.samples if self._passed_s(s) >= self.fills_s]
        return full if self.filled else self.samples[len(self.samples) // 2 :]

    def _passed_s(self, sample: Sample) -> float:
        """Program seconds since the first one, when faults and sweeps begin."""
        return (sample.at_s - self.samples[0].at_s) * self.run.speed

    @property
    def filled(self) -> bool:
        """True when the run went on for as long as filling takes, once more."""
        return bool(self.samples) and self._passed_s(self.samples[-1]) >= 1.9 * self.fills_s

    @property
    def fills_s(self) -> float:
        """Program seconds until nothing bounded grows any more."""
        return FULL_S if self.run.full else FILLED_S

    def moved(self) -> dict[str, int]:
        """What is more, or less, at rest after the faults than before them, where it is by more than two."""
        before, after = self.at_rest
        by = {name: getattr(after, name) - getattr(before, name) for name in ("files", "tasks")}
        return {name: n for name, n in by.items() if abs(n) > MOVED}

    def looks(self) -> Looks:
        """Of all samples but the first, in which the engine starts."""
        looks = Looks()
        for sample in self.samples[1:]:
            looks = looks.plus(sample.looks)
        return looks

    def trend(self, of: Callable[[Sample], float]) -> Trend | None:
        """By program second."""
        return trend([(s.at_s * self.run.speed, of(s)) for s in self.judged()])

    def growth(self, of: Callable[[Held], float]) -> Trend | None:
        """The same of something that the process holds."""
        return self.trend(lambda sample: of(sample.held))


def computed_mb(run: Run, seconds: float) -> float:
    """How large history.db is to be after so long, by docs/history.md."""
    minutes = seconds / 60
    samples = min(minutes, 61) * 60 / run.poll_s * _CHUNK_B
    return run.miners * (samples + (minutes + minutes / 15) * _ROW_B) * _OVERHEAD / 1e6


def in_a_line(s: Sample) -> str:
    """A sample in a line."""
    looks, disk = s.looks, " ".join(f"{name} {kb / 1000:.1f}" for name, kb in sorted(s.disk_kb.items()) if kb > 1000)
    worst, held = max(looks.places, key=lambda place: looks.places[place], default=""), s.held
    return (
        f"  {s.at_s:6.0f} s  {held.memory_mb:6.2f} MB, anonymous {held.anonymous_mb:6.2f}, in use {held.in_use_mb:6.2f}"
        f" (SQLite {held.sqlite_mb:.2f}), {held.blocks:7d} blocks  files {s.files} tasks {s.tasks} threads {s.threads}"
        f"  late p99 {looks.ms(0.99):.0f} ms (own {looks.ms(0.99, own=True):.0f}), gc {looks.collected_ms:.0f} ms"
        f"  disk MB: {disk}{'  ' + worst if worst else ''}"
    )


def judged(soaked: Soaked) -> int:
    """Print what it comes to; how many targets were missed."""
    print(f"  {soaked.faults} faults, {soaked.sweeps} sweeps, {soaked.samples[-1].version} events")
    threads = [s.threads for s in soaked.judged()]
    print(f"  threads {min(threads)} to {max(threads)}")
    missed = memory(soaked) + rested(soaked) + (max(threads) - min(threads) > MOVED) + disk(soaked)
    return missed + lateness(soaked.looks(), judge=soaked.run.speed == 1)


def memory(soaked: Soaked) -> int:
    """Does it grow, once all that is bounded is full? Both what is in use and what is no page of a file are asked."""
    some = soaked.judged()
    first, last = some[0], some[-1]
    minutes = f"minute {first.at_s / 60:.0f} to {last.at_s / 60:.0f}"
    print(f"  memory {first.held.memory_mb:.1f} → {last.held.memory_mb:.1f} MB, {minutes}")
    for name, read, digits in _MEMORY:
        print(f"    {name} {read(first.held):.{digits}f} → {read(last.held):.{digits}f}", end="")
        found = soaked.growth(read)
        for unit, seconds in (("hour", 3600.0), ("day", DAY_S)):
            if found is not None:
                by = found * seconds
                print(f"; by the {unit} {by.gained:+.{digits}f} ({by.low:+.{digits}f} … {by.high:+.{digits}f})", end="")
        print()
    grown(soaked)
    return int(_concluded(soaked) is False)


def _concluded(soaked: Soaked) -> bool | None:
    """Kept by both, missed by one of them, or not known; it is said."""
    if not soaked.filled:
        text = f"not judged: what is bounded fills for {soaked.fills_s:.0f} s, and it has to run for two such"
        print(f"    target ≤ {MEMORY_MB_DAY:g} MB a day: {text}")
        return None
    all_kept: bool | None = True
    judged: tuple[tuple[str, Callable[[Held], float]], ...] = (
        ("in use", lambda h: h.in_use_mb),
        ("anonymous", lambda h: h.anonymous_mb),
    )
    for name, read in judged:
        kept, words = verdict(soaked.growth(read), MEMORY_MB_DAY)
        print(f"    target ≤ {MEMORY_MB_DAY:g} MB a day, {name}: {words}")
        all_kept = False if False in (kept, all_kept) else None if None in (kept, all_kept) else True
    return all_kept


def grown(soaked: Soaked) -> None:
    """The kinds of objects of which there are surely more and more: where to look when memory grows."""
    names = {name for s in soaked.judged() for name in s.held.objects}
    found = ((soaked.growth(partial(_counted, name)), name) for name in sorted(names))
    more = sorted((of.low * DAY_S, of.gained * DAY_S, name) for of, name in found if of and of.low * DAY_S > 1)
    for low, gained, name in more[:-11:-1]:
        print(f"    more and more, by the day: {name} {gained:+.0f} (at least {low:+.0f})")


def _counted(name: str, held: Held) -> float:
    return held.objects.get(name, 0)


def disk(soaked: Soaked) -> int:
    """How large the databases got, and how large history was to get."""
    run, seconds = soaked.run, soaked.at_rest[-1].at_s * soaked.run.speed
    sizes = ", ".join(f"{name} {mb:.1f}" for name, mb in sorted(soaked.disk_mb.items()))
    grown, computed = soaked.disk_mb["history.db"] - soaked.past_mb, computed_mb(run, seconds)
    print(f"  disk after {seconds / 3600:.2f} h, MB: {sizes}; history grew by {grown:.2f}, computed {computed:.2f}")
    return int(seconds > FILLED_S and grown > 1.25 * computed)


def rested(soaked: Soaked) -> int:
    """Files and tasks at rest, before and after."""
    before, after = soaked.at_rest
    print(f"  at rest before and after: files {before.files} → {after.files}, tasks {before.tasks} → {after.tasks}")
    more = [(n - before.held.objects.get(kind, 0), kind, n) for kind, n in after.held.objects.items()]
    for by, kind, n in sorted(more, reverse=True)[:6]:
        print(f"    {kind} {n - by} → {n}")
    return len(soaked.moved())


def lateness(looks: Looks, *, judge: bool) -> int:
    """How late the loop was, and where it was when it was late."""
    for own, what in ((False, "the loop is late by"), (True, "without its wait for a processor")):
        figures = ", ".join(f"{name} {looks.ms(share, own=own):.0f}" for name, share in SHARES)
        print(f"  {what}: {figures} ms; target p99 ≤ {1000 * LATE_S:.0f}")
    print(f"  longest collection of garbage {looks.collected_ms:.0f} ms")
    for where, n in sorted(looks.places.items(), key=lambda item: -item[1])[:8]:
        print(f"    {n:5d} times {where}")
    return int(judge and looks.ms(0.99, own=True) > 1000 * LATE_S)
