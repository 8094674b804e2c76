"""A form: fields, what would come of them, and what is wrong — all live while a person types.

Tab and the arrows go from field to field, left and right change a choice, Enter agrees, Escape leaves. Where there is
no room for all fields they scroll with the focus, and the page keys turn what would come of them. The last line says
what the field with the focus is for and what may be answered. The title, the answers and the preview are painted
as text; nothing in here parses markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Input

from minertui.model.plans import Limits
from minertui.tui.dialogs.box import Body, Box
from minertui.tui.dialogs.fields import Answers, Choice, Field, Invalid, Words
from minertui.tui.dialogs.ordering import Ordering
from minertui.tui.widgets.lines import Lines
from minertui.tui.widgets.painted import Line, Painted, Span, line
from minertui.tui.widgets.wording import fit

T = TypeVar("T")
_KEYS = "Tab and arrows: the next field. Left and right change a choice."


class Picker(Painted, can_focus=True):
    """One of some words: left, right and space go through them."""

    DEFAULT_CSS = """
    Picker { height: 1; background: $surface; }
    Picker:focus { background-tint: $foreground 5%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Previous", show=False, id="choice.previous"),
        Binding("right,space", "step(1)", "Next", show=False, id="choice.next"),
    ]

    class Changed(Message):
        """Another word."""

    def __init__(self, choices: Sequence[str], value: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.choices = tuple(choices)
        self.value = value

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """The word between signs that it can be changed."""
        left, right = ("<", ">") if self.glyphs.ascii else ("‹", "›")
        ink = "title" if self.has_focus else ""
        return [line((left + " ", "dim"), Span(self.value, ink), (" " + right, "dim"))]

    def action_step(self, by: int) -> None:
        """The next word, round and round."""
        self.value = self.choices[(self.choices.index(self.value) + by) % len(self.choices)]
        self.repaint()
        self.post_message(self.Changed())

    def on_click(self) -> None:
        """As space."""
        self.action_step(1)

    def on_focus(self) -> None:
        """Show it."""
        self.repaint()

    def on_blur(self) -> None:
        """Show it."""
        self.repaint()


class FieldRow(Painted):
    """Label, answer, unit. Label and unit are painted by the row itself, because a widget more for each of them makes a
    form of many fields slow to open."""

    DEFAULT_CSS = """
    FieldRow { height: 1; width: 1fr; layout: horizontal; }
    """

    def __init__(self, field: Field, value: str, label_width: int) -> None:
        super().__init__()
        self.field = field
        self.answer: Input | Picker
        if isinstance(field, Choice):
            self.answer = Picker(field.choices, value, id=field.id)
        else:
            secret = isinstance(field, Words) and field.secret
            self.answer = Input(value, compact=True, password=secret, placeholder=field.hint, id=field.id)
        self._label_width = label_width
        self._unit_width = 5 if field.unit else 0
        self.answer.styles.width = "1fr" if field.wide else field.width
        self.answer.styles.margin = (0, 1 + self._unit_width if field.wide else 1, 0, label_width)

    def compose(self) -> ComposeResult:
        """The answer, between what is painted."""
        yield self.answer

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """What stands left and right of the answer."""
        answer = width - self._label_width - self._unit_width if self.field.wide else self.field.width + 1
        label = fit(self.field.label, self._label_width) + " " * max(0, answer)
        return [line((fit(label + fit(self.field.unit, self._unit_width), width), "dim"))]


class Form(Ordering[T | None], Generic[T]):
    """A dialog that asks for fields. Subclasses say ``TITLE``, ``AGREE``, ``COLUMNS`` and build the result."""

    AGREE: ClassVar[str] = "OK"
    COLUMNS: ClassVar[int] = 1
    LABEL: ClassVar[int] = 15
    note = ""  # what a person should know before they answer
    limits = Limits()  # in force for the miner that it is about
    AUTO_FOCUS = "FieldRow Input, FieldRow Picker"
    DEFAULT_CSS = """
    Form .fields { height: auto; layout: grid; grid-rows: 1; grid-gutter: 0 2; }
    Form #preview { height: auto; max-height: 33vh; margin: 1 0 0 0; }
    Form.-low #preview { margin: 0; }
    Form.-low #wrong { display: none; }
    Form.-low #wrong.-said { display: block; }
    Form FieldRow Input:ansi, Form FieldRow Picker:ansi { text-style: underline; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="dialog.cancel"),
        # at once, before the next key is given to a field: pasted or typed in a hurry, it is meant for the field after
        Binding("down,tab", "app.focus_next", "Next", show=False, priority=True, id="dialog.next"),
        Binding("up,shift+tab", "app.focus_previous", "Previous", show=False, priority=True, id="dialog.previous"),
    ]

    def __init__(self, heading: str, fields: Sequence[Field], values: Answers) -> None:
        super().__init__()
        self.heading = heading
        self.fields = tuple(fields)
        self.rows = {f.id: FieldRow(f, f.show(values.get(f.id)), self.LABEL) for f in self.fields}
        # kept, not looked for: left in the instant it is opened, the form has nothing in it any more
        self.foreseen, self.wrong, self.about = Lines(), Lines(id="wrong"), Lines(id="about")
        self.agree = Button(f"{self.AGREE} (Enter)", id="agree", variant="primary", compact=True)

    # -- for subclasses

    def build(self, answers: Answers) -> T:
        """The result. Raises Invalid when the answers do not fit together."""
        raise NotImplementedError

    def preview(self, answers: Answers, result: T) -> Sequence[Line]:
        """What would come of it."""
        return ()

    def dress(self) -> None:
        """Called after each change: switch fields on and off."""

    # -- the rest

    def compose(self) -> ComposeResult:
        """Fields, what would come of them, what is wrong, and the two ways out."""
        with Box(id="box"):
            yield Lines([line((self.heading, "title"))], id="heading")
            if self.note:
                yield Lines([line((self.note, "warn"))], id="note")
            with Body(), Vertical(classes="fields") as grid:
                grid.styles.grid_size_columns = self.COLUMNS
                yield from self.rows.values()
            with Body(id="preview"):
                yield self.foreseen
            yield self.wrong
            with Horizontal(classes="buttons"):
                yield self.agree
                yield Button("Cancel (Esc)", id="cancel", compact=True)
            yield self.about

    def on_mount(self) -> None:
        """The first look at it."""
        self.check()

    def on_resize(self, event: events.Resize) -> None:
        """A narrow terminal has one column."""
        columns = self.COLUMNS if event.size.width >= 74 else 1
        for grid in self.query(".fields"):
            grid.styles.grid_size_columns = columns

    def on_descendant_focus(self) -> None:
        """Another field: say what it is for."""
        name = self.focused.id if self.focused is not None else None
        row = self.rows.get(name or "")
        self.about.show([line((row.field.help(self.limits) if row else _KEYS, "dim"))])

    def answers(self) -> dict[str, object]:
        """Every field's value; those switched off too. Raises Invalid for the first that cannot be read."""
        return {row.field.id: self._read(row) for row in self.rows.values()}

    def _read(self, row: FieldRow) -> object:
        if row.answer.disabled:
            return None
        return row.field.read(row.answer.value)

    def check(self) -> tuple[T] | None:
        """Read, build and show; the result in a tuple, or None when something is wrong."""
        self.dress()
        try:
            answers = self.answers()
            result = self.build(answers)
        except Invalid as wrong:
            self._say(wrong)
            return None
        self._say(None)
        self.foreseen.show(self.preview(answers, result))
        return (result,)

    def _say(self, wrong: Invalid | None) -> None:
        for name, row in self.rows.items():
            row.answer.set_class(wrong is not None and wrong.field_id == name, "-invalid")
        self.wrong.show(_reason(wrong))
        self.wrong.set_class(wrong is not None, "-said")
        self.switch(self.agree, on=wrong is None and not self.lost)

    def enable(self) -> None:
        """Agreeing wants an engine."""
        self.check()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look again."""
        event.stop()
        self.check()

    def on_picker_changed(self, event: Picker.Changed) -> None:
        """Look again."""
        event.stop()
        self.check()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a field agrees."""
        event.stop()
        self.action_agree()

    def key_enter(self, event: events.Key) -> None:
        """Enter on a choice agrees; a button's own Enter never comes here. It ends here too: what is in front when the
        dialog has gone would take it for its own, and the fleet opened the miner under its cursor."""
        if isinstance(self.focused, Picker):
            event.stop()
            self.action_agree()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """One of the two ways out."""
        event.stop()
        if event.button.id == "agree":
            self.action_agree()
        else:
            self.action_cancel()

    def action_agree(self) -> None:
        """Leave with the result; with something wrong, go to the field it is in."""
        result = self.check()
        if self.lost:  # its frame says so
            return
        if result is not None:
            self.dismiss(result[0])
            return
        for row in self.rows.values():
            if row.answer.has_class("-invalid"):
                row.answer.focus()

    def action_cancel(self) -> None:
        """Leave without one."""
        self.dismiss(None)


def _reason(wrong: Invalid | None) -> list[Line]:
    if wrong is None:
        return []
    return [line((f"! {wrong.sentence}", "bad") if wrong.field_id else (wrong.sentence, "dim"))]


def difference(rows: Sequence[tuple[str, str, str]], arrow: str = "→") -> list[Line]:
    """What changes: (setting, before, after) as aligned lines."""
    name = max((len(r[0]) for r in rows), default=0)
    before = min(30, max((len(r[1]) for r in rows), default=0))
    return [
        line((fit(what, name + 2), "dim"), (fit(old, before), "dim"), (f" {arrow} ", "accent"), (new, "strong"))
        for what, old, new in rows
    ]
