"""The ground all our widgets stand on: a picture is lines of styled spans, and only what differs is painted.

A widget says its whole picture as plain values (``draw``); this class compares it with the one on the screen and marks
the changed part of the changed lines. Nothing changed → nothing is written. A line is repainted from its left edge up
to the last span that differs, because that is what the terminal is sent anyway; so steady things belong to the right.

Text of a device comes in as spans and is filtered once more right before it becomes a Segment. There is no markup.

Styles are names. ``title`` is styled by ``.painted--title`` in the style sheets; ``heat:0`` … ``heat:9`` are steps of
the gradient from ``painted--low`` over ``painted--middle`` to ``painted--high``; ``cell:0`` … the same as background.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.css.styles import RenderStyles
from textual.dom import DOMNode
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from minertui.tui.widgets.glyphs import Glyphs, glyphs_of, plain
from minertui.tui.widgets.wording import harmless

HEATS = 10


class Span(NamedTuple):
    """Some text in one style."""

    text: str
    style: str = ""


class Line(NamedTuple):
    """One line of a picture; ``row`` names a style that lies under all its spans, up to the right edge."""

    spans: tuple[Span, ...]
    row: str = ""

    @property
    def text(self) -> str:
        """What it says, without its styles."""
        return "".join(span.text for span in self.spans)


BLANK = Line(())


def line(*spans: Span | tuple[str, str] | str, row: str = "") -> Line:
    """A line of spans, tuples or unstyled strings; neighbours of one style become one span."""
    joined: list[Span] = []
    last = None
    for span in spans:
        text, style = (span, "") if isinstance(span, str) else span
        if not text:
            continue
        if style == last:
            text = joined.pop().text + text
        joined.append(Span(text, style))
        last = style
    return Line(tuple(joined), row)


def heat(share: float, kind: str = "heat") -> str:
    """The style of a place between cold (0) and hot (1); outside it is clipped."""
    return f"{kind}:{min(HEATS - 1, max(0, int(share * HEATS)))}"


def warmth(of_limit: float) -> float:
    """How hot a share of a limit looks, 0 to 1: calm up to a little over half of it, hottest where it is reached."""
    return (of_limit - 0.55) / 0.45


class Painted(Widget):
    """A widget whose picture is lines. Subclasses say it in ``draw`` and call ``repaint`` when their values changed."""

    # As Textual's component classes, but each is looked up when it is first painted with: there are some twenty styles,
    # a screen has a dozen widgets, and most of them use three.
    INKS: ClassVar[frozenset[str]] = frozenset(
        {"title", "dim", "faint", "good", "warn", "bad", "accent", "second", "third", "strong", "head", "cursor"}
        | {"marked", "match", "low", "middle", "high", "on-heat"}
    )
    DEFAULT_CSS = """
    Painted {
        & > .painted--title { color: $accent; text-style: bold; }
        & > .painted--dim { color: $text-muted; }
        & > .painted--faint { color: $foreground 35%; }
        & > .painted--good { color: $text-success; }
        & > .painted--warn { color: $text-warning; text-style: bold; }
        & > .painted--bad { color: $text-error; text-style: bold; }
        & > .painted--accent { color: $text-primary; }
        & > .painted--second { color: $text-warning; }
        & > .painted--third { color: $text-success; }
        & > .painted--strong { color: $foreground; text-style: bold; }
        & > .painted--head { color: $text-accent; text-style: bold; }
        & > .painted--cursor { background: $primary 25%; }
        & > .painted--marked { background: $accent 15%; }
        & > .painted--match { color: $background; background: $warning; text-style: bold; }
        & > .painted--low { color: $success; }
        & > .painted--middle { color: $warning; }
        & > .painted--high { color: $error; }
        & > .painted--on-heat { color: $background; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self._picture: tuple[Line, ...] = ()
        self._drawn = Size(0, 0)  # the size that the picture is of
        self._inks: dict[tuple[str, str], Style] = {}
        self._styles_of: dict[str, RenderStyles] = {}

    # -- for subclasses

    def draw(self, width: int, height: int) -> Sequence[Line]:
        """The whole picture for a content area of this size, top line first; missing lines are blank."""
        raise NotImplementedError

    @property
    def glyphs(self) -> Glyphs:
        """The signs to paint with."""
        return glyphs_of(self)

    @property
    def colourless(self) -> bool:
        """Whether the terminal is to show no colours (NO_COLOR): signs must say then what they would."""
        return self.app.has_class("-no-color")

    def repaint(self) -> None:
        """Paint what differs from the picture on the screen. Cheap when nothing does."""
        size = self.size  # asked once: Textual walks up the tree for it
        if not self.is_mounted or not size:
            return
        old, new = self._picture, tuple(self.draw(size.width, size.height))
        self._picture, self._drawn = new, size
        if self.styles.auto_dimensions and len(old) != len(new):
            self.refresh(layout=True)
            return
        regions = [
            Region(0, y, width, 1)
            for y in range(min(size.height, max(len(old), len(new))))
            if (width := _differing(_at(old, y), _at(new, y), size.width))
        ]
        if regions:
            self.refresh(*regions)

    # -- Textual's side

    def on_mount(self) -> None:
        """The first picture, as soon as the app (and so its glyphs) is known."""
        self.repaint()

    def on_resize(self) -> None:
        """Another size is another picture."""
        self._draw_anew(self.size)
        self.refresh()

    def _draw_anew(self, size: Size) -> None:
        self._picture, self._drawn = tuple(self.draw(size.width, size.height)), size

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """With ``height: auto`` as many lines as the picture has."""
        return max(1, len(self.draw(width, 0)))

    def notify_style_update(self) -> None:
        """The theme may have changed: mix the inks anew, and paint all of it where one looks different."""
        super().notify_style_update()
        used, self._inks, self._styles_of = self._inks, {}, {}
        if self.is_attached and any(self._ink(*names) != ink for names, ink in used.items()):
            self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region. Textual may ask before it told the widget its size; blank lines would flash then."""
        size = self.size
        if size != self._drawn:
            self._draw_anew(size)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line of the picture as Textual wants it, as wide as the picture was drawn for."""
        content = _at(self._picture, y)
        row, only_ascii = content.row, self.glyphs.ascii
        segments = [
            Segment(
                text if text.isascii() and text.isprintable() else _printable(text, only_ascii), self._ink(style, row)
            )
            for text, style in content.spans
        ]
        width = self._drawn.width
        used = sum([len(text) if text.isascii() else cell_len(text) for text, _, _ in segments])
        if used < width:
            segments.append(Segment(" " * (width - used), self._ink("", row)))
            used = width
        return Strip(segments, used).adjust_cell_length(width)

    def _ink(self, name: str, row: str) -> Style:
        ink = self._inks.get((name, row))
        if ink is None:
            ink = self._inks[(name, row)] = self._mixed(name, row)
        return ink

    def _mixed(self, name: str, row: str) -> Style:
        ink = self.rich_style
        if row and self._unmixable:
            # a ground of the terminal's own could hide any ink on it: reversed text is always readable
            return ink + Style(bold=True, reverse=row == "cursor")
        if row:
            ink += self._style_of(row).rich_style
        if name:
            ink += self._heat_ink(name) if ":" in name else self._component_ink(name)
        return ink

    @property
    def _unmixable(self) -> bool:
        """Whether the theme leaves the colours to the terminal, so that nobody knows what they look like."""
        return self._style_of("low").color.ansi is not None

    def _component_ink(self, name: str) -> Style:
        styles = self._style_of(name)
        solid = styles.rich_style
        # without a background of its own a span lets the row's shine through
        return solid if styles.background.a else Style(color=solid.color) + styles.partial_rich_style.without_color

    def _style_of(self, name: str) -> RenderStyles:
        """What the style sheets say of ``painted--NAME`` in this widget. Raises KeyError for what is no ink."""
        styles = self._styles_of.get(name)
        if styles is None:
            if name not in self.INKS:
                raise KeyError(name)
            node = DOMNode(classes=f"painted--{name}")
            node._attach(self)  # what Textual does for each component class
            self.app.stylesheet.apply(node)
            styles = self._styles_of[name] = node.styles
        return styles

    def _heat_ink(self, name: str) -> Style:
        kind, _, step = name.partition(":")
        color = self._gradient(int(step) / (HEATS - 1))
        if kind == "heat":
            return Style(color=color)
        if self._unmixable:
            return Style(color=color, bold=True, reverse=True)
        return self._component_ink("on-heat") + Style(bgcolor=color)

    def _gradient(self, share: float) -> RichColor:
        low, middle, high = (self._style_of(n).color for n in ("low", "middle", "high"))
        if self._unmixable:
            return (low, middle, high)[min(2, int(share * 3))].rich_color
        blend = low.blend(middle, share * 2) if share < 0.5 else middle.blend(high, share * 2 - 1)
        return blend.rich_color


def _at(picture: Sequence[Line], y: int) -> Line:
    return picture[y] if y < len(picture) else BLANK


def _differing(old: Line, new: Line, width: int) -> int:
    """How many cells from the left differ at most; 0 when the lines are equal."""
    if old is new or old == new:
        return 0
    before, after = old.text, new.text
    if old.row != new.row or (before and len(before) != len(after)):
        return width
    same = 0
    for was, is_ in zip(reversed(old.spans), reversed(new.spans), strict=False):
        if was != is_:
            break
        same += len(is_.text)
    wide = not (before.isascii() and after.isascii()) and cell_len(after) != len(after)
    return width if wide else min(width, max(len(before), len(after)) - same)


def _printable(text: str, only_ascii: bool) -> str:
    text = harmless(text)
    return plain(text) if only_ascii else text
