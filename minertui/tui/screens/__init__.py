"""The frame: header, tab bar, banner, the tab in front, and the footer."""
