"""The mark of files that conflictcheck made, which tells them from those that somebody wrote."""

MADE = "# Made by conflictcheck"
"""What exports begin with whose format has no field for their maker."""


def is_made(content: bytes) -> bool:
    """Whether a file with that content, or that beginning, has the mark."""
    return content.startswith(MADE.encode())
