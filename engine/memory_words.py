"""Plans of memory, said to a person."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the window is painted before plans are made
    from engine.plan import Mode, PhaseName, Plan

TITLES: "dict[Mode, str]" = {"resident": "all resident", "balanced": "balanced", "low": "low memory"}

RETRIED = "Memory ran out, and there is no lower mode. The clip goes on from its last step, once more."


def gib(count: int) -> str:
    """Bytes as they are said: "3.4 GiB", below one "410 MiB"."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def stepped_down(plan: "Plan", tiled: "PhaseName | None" = None) -> str:
    """What is said when memory ran out in the midst of a clip, and it goes on in another mode or, where there
    is no lower one, with this phase in tiles.
    """
    if tiled == "decode":
        return "Memory ran out, so the picture is decoded in tiles. Seams may show; nothing is lost."
    if tiled:
        return "Memory ran out, so the pictures are encoded in tiles: slower, but nearly the same."
    return (
        f"Memory ran out. The clip goes on from its last step in “{TITLES[plan.mode]}”: slower, but the same."
    )


def sentence(plan: "Plan") -> str:
    """A plan in one sentence."""
    needs = f"{TITLES[plan.mode].capitalize()}: about {gib(plan.needs)} of {gib(plan.memory.free)} free"
    return needs if plan.fits else f"{needs}, which may not be enough"


def details(plan: "Plan") -> str:
    """What a plan takes, a line for each phase."""
    lines = [
        f"{phase.name}: {gib(phase.weights)} weights, {gib(phase.activations)} at work"
        for phase in plan.phases
    ]
    if plan.mode == "balanced":
        lines += [f"{count} blocks of the {expert} expert stay" for expert, count in plan.staying]
    if plan.sees_tiled:
        lines.append("pictures are encoded in tiles")
    if plan.is_tiled:
        lines.append("the picture is decoded in tiles")
    return "\n".join(lines)
