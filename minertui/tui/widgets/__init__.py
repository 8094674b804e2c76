"""What a screen is painted with. Each widget is given values and paints them; none fetches, none knows the engine."""
