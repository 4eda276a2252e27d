"""Text of unknown origin, as it may be shown: nothing in it takes over a terminal or runs past its line."""

_SPACES = "\u00a0\u202f"  # not “printable”, but harmless
_LONGEST_NAME = 100


def plain(text: object) -> str:
    """On one line, without control characters, reversed writing or halves of characters."""
    said = str(text)
    return said if said.isprintable() else "".join(map(_shown, said))


def short_name(name: str) -> str:
    """A name, cut where it is longer than any that a trainer writes."""
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _shown(character: str) -> str:
    if character.isprintable() or character in _SPACES:
        return character
    return " " if character.isspace() else "�"
