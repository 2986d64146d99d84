"""What stops a command before or during its work, in words for the person at the terminal.

Exception
└── OperatorError        one line: what is wrong and how to fix it; the process exits with 2
    ├── SettingsError    a setting is missing, misspelt or has a bad value
    └── WarehouseError   StarRocks (or the embedded stand-in) cannot be used as it is
"""


class OperatorError(Exception):
    """The text is one line for the operator; it names the fix and holds no secret."""


class SettingsError(OperatorError):
    """Names the key and the fix."""


class WarehouseError(OperatorError):
    """Names the address or account, never the password."""
