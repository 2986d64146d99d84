"""The server half of the MySQL client protocol: packets, login, text and binary results. Knows no SQL."""
