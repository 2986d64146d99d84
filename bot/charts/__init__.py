"""Charts for places that draw none themselves: as a picture, or in the characters of a terminal."""
