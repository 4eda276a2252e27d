"""Coverage is said truthfully, shortly, and without losing a key."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.coverage import Coverage, Share, cover
from catalog.coverage_summary import MOST_REASONS, summary
from catalog.coverage_words import (
    Tally,
    block_words,
    full_text,
    groups,
    patterns,
    ranges,
    remark,
    sentence,
    short,
    shortest,
    tally,
)
from catalog.inventory import inventory
from tests.unit.catalog.builders import header_of, sdxl_lora, wan_lora

DEMO = inventory({"num_layers": 2, "num_attention_heads": 6, "attention_head_dim": 32, "ffn_dim": 768})
NAMES = st.from_regex(r"(blocks|layer|te)[._][0-9]{1,3}[._](q|k|ffn)([._][0-9]{1,2})?", fullmatch=True)


@pytest.mark.parametrize(
    ("count", "tone", "card", "strip", "said"),
    [
        (Tally(60, 60), "good", "60 of 60 layers", "60/60", "All 60 layers apply."),
        (Tally(1, 1), "good", "1 of 1 layer", "1/1", "Its one layer applies."),
        (
            Tally(48, 60, 24),
            "look",
            "48 of 60 · look",
            "48/60 !",
            "48 of 60 layers apply; 24 keys of the file do nothing here.",
        ),
        (
            Tally(1, 60, 1, 1),
            "look",
            "1 of 60 · look",
            "1/60 !",
            "1 of 60 layers applies; 1 key of the file does nothing here and 1 layer cannot be applied.",
        ),
        (
            Tally(60, 60, warnings=1),
            "look",
            "60 of 60 · look",
            "60/60 !",
            "All 60 layers apply.",
        ),
        (
            Tally(0, 60, refusal="It is made for SDXL."),
            "refused",
            "not for this model",
            "refused",
            "It is made for SDXL.",
        ),
    ],
)
def test_counts_in_words(count: Tally, tone: str, card: str, strip: str, said: str) -> None:
    assert (count.tone, short(count), shortest(count), sentence(count)) == (tone, card, strip, said)


@given(st.lists(NAMES, min_size=1, unique=True))
def test_patterns_stand_for_every_name(names: list[str]) -> None:
    assert sum(count for _, count in patterns(names)) == len(names)
    assert all("{" not in pattern for pattern, count in patterns(names) if count == 1)
    assert {patterns([name]) for name in names} == {((name_of(name), 1),) for name in names}


def name_of(name: str) -> str:
    """Leading zeros are the one thing that a pattern does not keep."""
    return "".join(str(int(part)) if part.isdigit() else part for part in re.split(r"([._])", name))


def test_patterns_show_ranges() -> None:
    names = [f"blocks.{n}.attn1.to_q" for n in (0, 1, 2, 5)] + ["head"]
    assert patterns(names) == (("blocks.{0–2, 5}.attn1.to_q", 4), ("head", 1))
    odd = [f"blocks.{n}.ffn.net.0" for n in range(1, 40, 2)]
    assert patterns(odd) == (("blocks.{1…39}.ffn.net.0", 20),)


@given(st.sets(st.integers(0, 99), min_size=1))
def test_ranges_say_exactly_the_numbers(numbers: set[int]) -> None:
    said = set[int]()
    for run in ranges(numbers).split(", "):
        first, _, last = run.partition("–")
        said |= set(range(int(first), int(last or first) + 1))
    assert said == numbers


def test_groups_count_the_most_frequent_reason_first() -> None:
    pairs = [("blocks.0.a", "rare"), *((f"blocks.{n}.b", "common") for n in range(3))]
    assert [(g.reason, g.count) for g in groups(pairs)] == [("common", 3), ("rare", 1)]


def test_a_remark_gives_the_worst_reason() -> None:
    whole = Coverage(60, 60, ("high",))
    assert remark(whole) == ""
    assert remark(replace(whole, warnings=("It has NaNs.",))) == "All 60 layers apply. It has NaNs."
    stray = replace(whole, ignored=(("a", "rare"), ("b", "text encoder"), ("c", "text encoder")))
    assert remark(stray).endswith("3 keys of the file do nothing here: text encoder")
    assert remark(replace(stray, errors=(("m", "It is 7×7."),))).endswith("cannot be applied: It is 7×7.")


def test_blocks_in_words() -> None:
    shares = [Share(f"blocks.{n}", 10, 10) for n in range(30)]
    shares += [Share("blocks.30", 3, 10), *(Share(f"blocks.{n}", 0, 10) for n in range(31, 40))]
    shares += [Share("vace_blocks.0", 0, 4), Share("other", 2, 5)]
    said = "0–29 whole · 30 in part · 31–39 not at all · VACE 0 not at all · 2 of 5 outside the blocks"
    assert block_words(shares) == said


def test_the_whole_text_names_every_key_and_every_layer_kind() -> None:
    shapes = wan_lora() | sdxl_lora() | {"diffusion_model.blocks.0.self_attn.q.lora_A.weight": (3, 192)}
    laid = cover(header_of(shapes), {"high": DEMO})
    text = full_text("halo", "Demo", laid.coverage, laid.refusal)
    assert laid.coverage.ignored and laid.coverage.errors
    assert all(name in text and why in text for name, why in laid.coverage.ignored + laid.coverage.errors)
    assert all(f"{share.name}: {share.applied} of {share.of}" in text for share in laid.coverage.layers)
    assert sentence(tally(laid.coverage)) in text


@given(st.lists(st.tuples(st.text(max_size=5), st.integers(0, 40).map(str)), max_size=200))
def test_a_summary_is_short_and_counts_every_key(ignored: list[tuple[str, str]]) -> None:
    said = summary(Coverage(3, 5, ("high",), tuple(ignored), (("m", "wrong"),), warnings=("w",)))
    assert sum(said["ignored"].values()) == len(ignored)
    assert len(said["ignored"]) <= MOST_REASONS + 1
    assert said["errors"] == [{"module": "m", "reason": "wrong"}] and said["warnings"] == ["w"]
    assert json.loads(json.dumps(said)) == said
