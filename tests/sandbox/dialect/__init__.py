"""StarRocks SQL in, values out."""
