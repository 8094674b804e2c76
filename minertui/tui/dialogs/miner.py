"""A miner's entry in the config: name, address, tags and its own limits. The engine checks it once more when saving."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from minertui.model.history import MinerEntry
from minertui.model.plans import Limits
from minertui.tui.dialogs.fields import Answers, Choice, Field, Invalid, Number, Words, ordered
from minertui.tui.dialogs.form import Form
from minertui.tui.widgets.painted import Line, line

_ADDRESS = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(:[1-9][0-9]{0,4})?")
_OWN = "model's"
_LIMITS: tuple[Field, ...] = (
    Number("max_chip_temp_c", "Chip at most", "°C", lowest=30, highest=110, optional=True, hint=_OWN,
           about="The hottest that its chip may get."),
    Number("max_vr_temp_c", "VR at most", "°C", lowest=30, highest=125, optional=True, hint=_OWN,
           about="The hottest for its voltage regulator."),
    Number("min_mhz", "Frequency from", "MHz", lowest=50, highest=3000, optional=True, hint=_OWN,
           about="The lowest that may be set."),
    Number("max_mhz", "to", "MHz", lowest=160, highest=3000, optional=True, hint=_OWN,
           about="The highest that may be set."),
    Number("min_mv", "Voltage from", "mV", lowest=500, highest=2000, whole=True, optional=True, hint=_OWN,
           about="The lowest that may be set."),
    Number("max_mv", "to", "mV", lowest=800, highest=2000, whole=True, optional=True, hint=_OWN,
           about="The highest that may be set."),
    Number("max_power_w", "Power at most", "W", lowest=1, highest=10_000, optional=True, hint=_OWN,
           about="The most that it may take."),
)  # fmt: skip
_FIELDS: tuple[Field, ...] = (
    Words("name", "Name", longest=64, width=18, about="What it is called here; no other miner may have it."),
    Words("address", "Address", width=18, about="Host name or IP address, with :port if it is not 80."),
    Words("tags", "Tags", optional=True, width=18, about="Words to filter and group by, with commas between them."),
    Number("poll_s", "Poll every", "s", lowest=2, highest=3600, optional=True, hint="5", about="How often it is read."),
    Choice("pinned", "Tab of its own", about="yes: a tab of its own, always."),
    Choice("readonly", "Read only", about="yes: it is watched, and nothing on it is ever changed from here."),
    *_LIMITS,
)  # fmt: skip


class MinerDialog(Form[MinerEntry]):
    """Gives the entry; without one to change it asks for a new one. ``taken``: names that other miners have."""

    AGREE = "Save"
    COLUMNS = 2

    def __init__(self, entry: MinerEntry | None, taken: Sequence[str] = ()) -> None:
        self.entry = entry or MinerEntry(name="", address="")
        self.taken = {name.casefold() for name in taken} - {self.entry.name.casefold()}
        values = {f.id: getattr(self.entry.limits, f.id) for f in _LIMITS}
        values |= {f.id: getattr(self.entry, f.id) for f in _FIELDS if f not in _LIMITS}
        values["tags"] = ", ".join(self.entry.tags)
        super().__init__(f"Miner {self.entry.name}" if entry else "Add a miner", _FIELDS, values)

    def build(self, answers: Answers) -> MinerEntry:
        """Raises Invalid for names and addresses that the config does not take."""
        name, address = answers["name"], answers["address"]
        if "/" in name or "\\" in name:
            raise Invalid("name", "Name must not contain a slash or backslash.")
        if name.casefold() in self.taken:
            raise Invalid("name", f"Another miner is called {name}; choose another name.")
        if not _ADDRESS.fullmatch(address):
            raise Invalid(
                "address", "Address must be a host name or IP address, with :port if it is not 80; no http://."
            )
        ordered(
            answers,
            ("min_mhz", "max_mhz", "The lowest frequency must not be above the highest."),
            ("min_mv", "max_mv", "The lowest voltage must not be above the highest."),
        )
        return msgspec.structs.replace(
            self.entry,
            name=name,
            address=address,
            tags=tuple(dict.fromkeys(tag.strip() for tag in answers["tags"].split(",") if tag.strip())),
            poll_s=answers["poll_s"],
            pinned=answers["pinned"],
            readonly=answers["readonly"],
            limits=Limits(**{f.id: answers[f.id] for f in _LIMITS}),
        )

    def preview(self, answers: Answers, result: MinerEntry) -> Sequence[Line]:
        """What the limits mean."""
        return [line(("Limits only ever lower what is allowed; empty: the model's own.", "dim"))]
