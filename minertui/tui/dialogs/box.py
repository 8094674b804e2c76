"""The box that a dialog stands in, in the middle of the screen. It is as high as what is in it, and where there is no
room for that its body is scrolled, so that the heading and the ways out stay in sight on the lowest terminal."""

from __future__ import annotations

from textual.containers import Vertical, VerticalScroll
from textual.geometry import Size


class Body(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The part of a box that gives way. What has the focus in it stays in sight, however low it gets."""

    DEFAULT_CSS = """
    Body { height: 1fr; min-height: 1; }
    """

    def on_resize(self) -> None:
        """What has the focus may be outside now."""
        self._follow()

    def on_descendant_focus(self) -> None:
        """Another field."""
        self._follow()

    def _follow(self) -> None:
        focused = self.screen.focused
        if focused is not None and self in focused.ancestors:
            self.scroll_to_widget(focused, animate=False)

    def page(self, by: int) -> None:
        """So many pages down, with a line of the one before."""
        self.scroll_relative(y=by * max(1, self.size.height - 1), animate=False)


class Box(Vertical):
    """The box: lines that are always there, and a body."""

    DEFAULT_CSS = """
    Box {
        width: 78; max-width: 100%; height: auto; max-height: 100%;
        padding: 0 1; background: $panel; border: round $accent; border-title-color: $text-accent;
    }
    """

    # what Textual asks before it makes a box with a body of ``1fr`` as high as the screen
    _has_relative_children_height = False

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """All that is in it: where there is no height, a body of ``1fr`` has one line."""
        height = self.arrange(Size(width, 0)).total_region.height
        for body in self.displayed_children:
            if isinstance(body, Body) and body.styles.height is not None and body.styles.height.is_fraction:
                height += max(0, body.get_content_height(container, viewport, width) - 1)
        return height
