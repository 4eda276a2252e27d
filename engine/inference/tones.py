"""Adapters by content and by name: kept steps know the one, the desk of today the other."""

from collections.abc import Iterable, Mapping, Sequence

from catalog.coverage_summary import summary
from catalog.recipe import COVERAGE, LoraUse
from engine.inference.denoise import Strengths
from engine.inference.trajectory import Tones
from engine.messages import AdapterAttached, Mix, Strip

Attached = Mapping[str, AdapterAttached]
"""What is beside the layers, by name, in the order in which it plays."""


def tones(strengths: Strengths, attached: Attached) -> Tones:
    """What can be heard of these strengths, by content."""
    return tuple((attached[adapter].sha256, strength) for adapter, strength in strengths if strength)


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
    absent = [dict(rest) for _, rest in heard]
    departed = (
        LoraUse(files[sha256], 0.0, 0.0, tuple(step.get(sha256, 0.0) for step in absent), sha256)
        for sha256 in _in_order(absent)
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


def _in_order(steps: Iterable[Mapping[str, float]]) -> list[str]:
    return list(dict.fromkeys(sha256 for step in steps for sha256 in step))
