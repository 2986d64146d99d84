"""An embedded stand-in for StarRocks: its wire and dialect in front of DuckDB, filled with a simulated fleet."""
