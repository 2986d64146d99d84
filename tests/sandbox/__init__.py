"""The embedded stand-in for StarRocks."""
