"""`python -m bot` is the `starwatch` command."""

from bot.cli import main

main()
