"""Adapters by content and by name: kept steps know the one, the desk of today the other."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter

from catalog.coverage_summary import summary
from catalog.recipe import COVERAGE, LoraUse
from engine.inference.denoise import Strengths
from engine.inference.trajectory import Tones
from engine.messages import AdapterAttached, Mix, Strip

Attached = Mapping[str, AdapterAttached]
"""What is beside the layers, by name, in the order in which it plays."""


def tones(strengths: Strengths, attached: Attached) -> Tones:
    """What can be heard of these strengths, by content and in its order: who came first changes no sum."""
    heard = ((attached[adapter].sha256, strength) for adapter, strength in strengths if strength)
    return tuple(sorted(heard, key=itemgetter(0)))


def settled(strengths: Strengths, attached: Attached) -> Strengths:
    """The same sound, with the louder ones first among adapters of one content: which of them plays how
    strongly then changes no bit.
    """
    alike = defaultdict[str, list[float]](list)
    for adapter, strength in strengths:
        alike[attached[adapter].sha256].append(strength)
    for each in alike.values():
        each.sort()
    return tuple((adapter, alike[attached[adapter].sha256].pop()) for adapter, _ in strengths)


def by_content(meters: Strengths, attached: Attached) -> Tones:
    """What was measured of each adapter, also in silence."""
    return tuple((attached[adapter].sha256, ratio) for adapter, ratio in meters)


def named(tones: Tones, attached: Attached) -> tuple[Strengths, Tones]:
    """The strength of each adapter attached now, and the tones of those that are not."""
    left, strengths = list(tones), []
    for adapter, report in attached.items():
        tone = next((tone for tone in left if tone[0] == report.sha256), None)
        if tone is not None:
            left.remove(tone)
        strengths.append((adapter, tone[1] if tone else 0.0))
    return tuple(strengths), tuple(left)


def faders(attached: Attached, mix: Mix, steps: int) -> tuple[LoraUse, ...]:
    """What is attached, as the desk would play it in a run of so many steps."""
    strips = {strip.adapter: strip for strip in mix.strips}
    return tuple(
        _use(report, strip, strip.per_step if len(strip.per_step) == steps else ())
        for adapter, report in attached.items()
        for strip in (strips.get(adapter, Strip(adapter, 0.0, 0.0)),)
    )


def played(
    attached: Attached, mix: Mix, steps: Sequence[Tones], files: Mapping[str, str]
) -> tuple[LoraUse, ...]:
    """What plays a whole run again: the strength of every step, also of adapters that have left since.

    `files` are the paths of those, by content.
    """
    strips = {strip.adapter: strip for strip in mix.strips}
    heard = [named(step, attached) for step in steps]
    by_name = [dict(strengths) for strengths, _ in heard]
    present = (
        _use(report, strips.get(adapter, Strip(adapter, 0.0, 0.0)), tuple(step[adapter] for step in by_name))
        for adapter, report in attached.items()
    )
    absent = [_numbered(rest) for _, rest in heard]
    departed = (
        LoraUse(files[sha256], 0.0, 0.0, tuple(step.get((sha256, n), 0.0) for step in absent), sha256)
        for sha256, n in dict.fromkeys(each for step in absent for each in step)
    )
    return (*present, *departed)


def _use(report: AdapterAttached, strip: Strip, per_step: tuple[float, ...]) -> LoraUse:
    return LoraUse(
        str(report.path),
        strip.high,
        strip.low,
        per_step,
        report.sha256,
        {COVERAGE: summary(report.coverage)},
        high_curve=strip.high_curve,
        low_curve=strip.low_curve,
    )


def _numbered(tones: Tones) -> dict[tuple[str, int], float]:
    """Strengths by content, and by how many of that content came before."""
    seen, found = Counter[str](), {}
    for sha256, strength in tones:
        found[sha256, seen[sha256]] = strength
        seen[sha256] += 1
    return found
