"""What a card says about an entry, in words."""

from catalog.library import Entry


def size_words(size: int) -> str:
    """A file size as people say it: 153 MB."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000))} kB"
    return f"{size / 1e6:.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def kind_line(entry: Entry) -> str:
    """Kind, rank and size in one line."""
    parts = []
    if entry.identity:
        rank = entry.identity.rank
        parts.append(" + ".join(entry.identity.kinds))
        parts.append({"": "", "full": "full rank"}.get(rank, f"r{rank}"))
    parts.append(size_words(entry.size))
    return " · ".join(p for p in parts if p.strip())


def what_line(entry: Entry) -> str:
    """What the file is, or why it is nothing."""
    if entry.problem:
        return entry.problem
    return entry.identity.summary if entry.identity else ""


def letters(entry: Entry) -> str:
    """H and L for the experts a file was made for, ! where one should look."""
    if is_suspect(entry):
        return "!"
    identity = entry.identity
    if identity is None:
        return ""
    experts = set(identity.experts) | ({identity.expert_hint} if identity.expert_hint else set())
    return "".join(letter for letter, expert in (("H", "high"), ("L", "low")) if expert in experts)


def is_suspect(entry: Entry) -> bool:
    """Whether the file is unreadable, not for Wan, or not what its name says."""
    identity = entry.identity
    return identity is None or not identity.is_wan or bool(identity.contradictions)


def full_text(entry: Entry) -> str:
    """All that is known about an entry, a fact a line."""
    lines = [what_line(entry), kind_line(entry)]
    if identity := entry.identity:
        lines += [f"! {each}" for each in (*identity.contradictions, *identity.warnings)]
        if identity.trigger_words:
            lines.append("Trigger words: " + ", ".join(identity.trigger_words))
        lines += [f"Because: {each}" for each in identity.evidence]
    lines.append(str(entry.path) if entry.origin == "library" else f"{entry.path.name} (built in)")
    return "\n".join(line for line in lines if line)
