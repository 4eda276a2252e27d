"""Plans of memory: laws that hold for every model and machine, and what the known Wans come to."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.folders import HOME_VARIABLE, default_folders
from catalog.models import find_model
from engine.doctor_memory import planned
from engine.host_memory import Memory, host_memory
from engine.memory_words import details, sentence, stepped_down
from engine.model_sizes import Blocks, Bytes, ModelSizes, Transformer, model_sizes
from engine.plan import MODES, Plan, Work, decoding, denoising, lower, plan, usable

GIB = 1 << 30
SD, HD = Work(832, 480, 81), Work(1280, 720, 81)


def transformer(width: int, ffn: int, count: int, stored: float, item: int) -> Transformer:
    """A Wan of that width; `stored` bytes per weight in its file, of which fewer than 2 stay so."""
    block = 8 * width * width + 2 * width * ffn
    rest = width * (6 * width + 2 * width + 4096) + 3 * width * width
    is_cast = stored >= 2
    computed = round(block * (item if is_cast else stored))
    return Transformer(
        count=count,
        block=Bytes(round(block * stored), computed, block * item),
        rest=Bytes(round(rest * stored), rest * item, rest * item),
        widest=0 if stored == item else width * ffn * item,
        is_cast=is_cast,
        composed=(width * width + 2 * width * ffn) * item,
        width=width,
        ffn=ffn,
    )


def umt5(stored: float, item: int) -> Blocks:
    """The text encoder of every Wan: 24 blocks, and its table of words."""
    block = 4 * 4096 * 4096 + 3 * 4096 * 10240
    table = 256384 * 4096
    widest = 0 if stored == item else 4096 * 10240 * item
    return Blocks(
        24, Bytes(round(block * stored), block * item), Bytes(table * 2, table * item), widest, True
    )


def wan14(experts: int = 2, stored: float = 2, item: int = 2) -> ModelSizes:
    one = transformer(5120, 13824, 40, stored, item)
    names = ("high", "low")[:experts]
    return ModelSizes({e: one for e in names}, umt5(2, item), 127_000_000 * 4, 96, 1, item)  # type: ignore[misc]


WAN13 = ModelSizes({"high": transformer(1536, 8960, 30, 2, 2)}, umt5(2, 2), 127_000_000 * 4, 96, 1, 2)
WAN5 = ModelSizes(
    {"high": transformer(3072, 14336, 30, 2, 2)},
    umt5(2, 2),
    705_000_000 * 4,
    256,
    2,
    2,
    expands_timesteps=True,
)


def made(sizes: ModelSizes, work: Work, gib: float, device: str = "cuda") -> Plan:
    return plan(sizes, work, Memory(round(gib * GIB), round(gib * GIB)), device)


def test_what_one_block_computes_is_what_was_worked_out_for_14b() -> None:
    """480p: about 3.7 GB beside the weights; 720p: 2.3 times that."""
    one, tokens = wan14().experts["high"], 21 * 30 * 52
    small, large = denoising(one, tokens, 2), denoising(one, 21 * 45 * 80, 2)
    assert 3.5e9 < small < 3.9e9 and large / small == pytest.approx(75_600 / 32_760)


def test_a_modulation_per_token_costs_what_was_measured_for_5b() -> None:
    one, tokens = WAN5.experts["high"], 31 * 22 * 40
    extra = denoising(one, tokens, 2, True) - denoising(one, tokens, 2)
    assert extra == pytest.approx(3.0e9, rel=0.02)


def test_a_reference_image_is_computed_like_four_more_frames() -> None:
    beside, longer = Work(832, 480, 81, references=3), Work(832, 480, 81 + 4 * 3)
    high = [
        next(phase.activations for phase in made(wan14(), work, 80).phases if phase.name == "denoise high")
        for work in (beside, longer, SD)
    ]
    assert high[0] == high[1] > high[2]


@pytest.mark.parametrize(
    ("sizes", "work", "gib", "mode"),
    [
        (wan14(), SD, 80, "resident"),
        (wan14(), SD, 48, "balanced"),
        (wan14(), SD, 24, "balanced"),
        (wan14(), SD, 8, "balanced"),
        (wan14(), HD, 8, "low"),
        (wan14(stored=1), SD, 24, "balanced"),
        (wan14(experts=1, stored=1), SD, 40, "resident"),
        (WAN13, SD, 24, "resident"),
        (WAN13, SD, 12, "balanced"),
        (WAN5, Work(1280, 704, 121), 48, "resident"),
        (WAN5, Work(1280, 704, 121), 24, "balanced"),
    ],
)
def test_known_models_on_known_cards(sizes: ModelSizes, work: Work, gib: float, mode: str) -> None:
    found = made(sizes, work, gib)
    assert (found.mode, found.fits) == (mode, mode != "low" or found.fits)


def test_14b_in_half_precision_needs_both_experts_and_the_text_encoder() -> None:
    both = made(wan14(), SD, 200)
    assert both.mode == "resident" and 68 * GIB < both.needs < 72 * GIB
    one = plan(wan14(), SD, Memory(24 * GIB, 24 * GIB), "cuda", "low")
    assert 7 * GIB < one.needs < 9 * GIB and one.fits


def test_a_card_of_24_gib_keeps_as_many_blocks_as_fit() -> None:
    found = made(wan14(), SD, 24)
    counts = dict(found.staying)
    assert 20 < counts["high"] == counts["low"] < 40 and found.fits
    assert dict(made(wan14(), SD, 32).staying)["high"] > counts["high"]


def test_the_computer_itself_keeps_a_14b_in_its_file() -> None:
    """24 GiB, float32: the expert alone would be 56 GB."""
    found = plan(wan14(stored=1, item=4), Work(480, 272, 5), Memory(20 * GIB, 24 * GIB), "cpu")
    assert found.mode in ("balanced", "low") and found.fits


numbers = st.integers(1, 64)
memories = st.integers(0, 200 * 1024).map(lambda mib: Memory(mib << 20, 256 * GIB))
devices = st.sampled_from(["cpu", "cuda"])
works = st.builds(
    Work,
    st.integers(2, 90).map(lambda n: n * 16),
    st.integers(2, 90).map(lambda n: n * 16),
    st.integers(0, 40).map(lambda n: 4 * n + 1),
    st.fixed_dictionaries({"high": st.integers(0, GIB), "low": st.integers(0, GIB)}),
    sees=st.booleans(),
    compiles=st.booleans(),
    caches=st.booleans(),
)


@st.composite
def models(draw: st.DrawFn) -> ModelSizes:
    item = draw(st.sampled_from([2, 4]))
    stored = draw(st.sampled_from([0.5, 1.0, 2.0, 4.0]))
    # of a single block nothing can stay while another one streams
    blocks = draw(st.integers(2, 60))
    one = transformer(draw(numbers) * 128, draw(numbers) * 256, blocks, stored, item)
    experts = ("high", "low")[: draw(st.integers(1, 2))]
    text = umt5(draw(st.sampled_from([2.0, 4.0])), item)
    return ModelSizes(
        {e: one for e in experts}, text, draw(st.integers(0, 3 * GIB)), 96, 1, item, draw(st.booleans())
    )  # type: ignore[misc]


@given(models(), works, memories, devices)
def test_a_lower_mode_never_needs_more(sizes: ModelSizes, work: Work, memory: Memory, device: str) -> None:
    needs = [plan(sizes, work, memory, device, mode).needs for mode in MODES]
    balanced_fits = plan(sizes, work, memory, device, "balanced").fits
    assert needs[2] <= needs[1] and (needs[1] <= needs[0] or not balanced_fits)


@given(models(), works, memories, st.integers(0, 100 * GIB), devices)
def test_more_memory_never_picks_a_lower_mode(
    sizes: ModelSizes, work: Work, memory: Memory, more: int, device: str
) -> None:
    small = plan(sizes, work, memory, device)
    large = plan(sizes, work, Memory(memory.free + more, memory.total + more), device)
    assert MODES.index(large.mode) <= MODES.index(small.mode)
    if small.mode == large.mode:
        assert all(a[1] <= b[1] for a, b in zip(small.staying, large.staying, strict=True))


@given(models(), works, memories, devices)
def test_all_is_resident_whenever_it_fits(sizes: ModelSizes, work: Work, memory: Memory, device: str) -> None:
    everything = plan(sizes, work, memory, device, "resident")
    assert everything.fits == (everything.needs <= usable(memory))
    assert (plan(sizes, work, memory, device).mode == "resident") == everything.fits


@given(models(), works, memories, devices)
def test_what_is_chosen_fits_or_is_the_lowest(
    sizes: ModelSizes, work: Work, memory: Memory, device: str
) -> None:
    found = plan(sizes, work, memory, device)
    assert found.fits or found.mode == "low"
    assert sentence(found) and details(found) and stepped_down(found)


def test_modes_end() -> None:
    assert [lower(mode) for mode in MODES] == ["balanced", "low", None]


def test_tiles_are_for_what_does_not_fit_otherwise() -> None:
    sizes, work = wan14(), HD
    needs = sizes.vae + decoding(sizes, work.width, work.height, work.frames)
    for free, is_tiled in ((needs * 1.2, False), (needs * 0.9, True)):
        found = [plan(sizes, work, Memory(round(free), round(free)), "cuda", mode) for mode in MODES]
        assert [each.is_tiled for each in found] == [False, is_tiled, is_tiled]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_pictures_that_are_seen_are_a_phase_of_their_own(device: str) -> None:
    work, roomy = replace(HD, sees=True), Memory(200 * GIB, 200 * GIB)
    first, *others = plan(wan14(), work, roomy, device, "low").phases
    assert first.name == "encode pictures" and others[0].name == "encode"
    assert 10 * GIB < first.activations < 16 * GIB
    tight = plan(wan14(), work, Memory(6 * GIB, 6 * GIB), device, "low")
    assert tight.sees_tiled and tight.phases[0].activations < first.activations / 2
    assert "pictures are encoded in tiles" in details(tight)
    assert not plan(wan14(), HD, Memory(6 * GIB, 6 * GIB), device, "low").sees_tiled


def test_compiling_and_caching_need_room_while_denoising() -> None:
    def denoise(work: Work) -> int:
        return made(wan14(stored=1), work, 200).phases[1].activations

    one, plain = wan14(stored=1).experts["high"], denoise(SD)
    assert denoise(replace(SD, compiles=True)) - plain == one.block.whole > 600 << 20
    tokens = 21 * 30 * 52
    assert denoise(replace(SD, caches=True)) - plain == 2 * 2 * tokens * 5120 * 2
    adapted = replace(SD, adapters={"high": 1, "low": 1})
    assert denoise(adapted) - plain == one.composed > 300 << 20


def test_an_image_encoder_rests_on_the_host_alone() -> None:
    sizes = replace(wan14(), image_encoder=3 * GIB)
    for mode in MODES:
        bare, more = (plan(s, SD, Memory(GIB, GIB), "cpu", mode).phases for s in (wan14(), sizes))
        assert [b.weights - a.weights for a, b in zip(bare, more, strict=True)] == [3 * GIB] * len(bare)


def test_the_demo_is_read_from_its_headers() -> None:
    info = find_model("demo")
    sizes = model_sizes(info, 4)
    assert sizes.experts.keys() == {"high", "low"} and sizes.experts["high"].count == info.layers
    file = info.path / "transformer" / "diffusion_pytorch_model.safetensors"
    one = sizes.experts["high"]
    stored = one.count * one.block.stored + one.rest.stored
    assert stored == pytest.approx(file.stat().st_size, rel=0.01)
    assert one.block.computed == 2 * one.block.stored and one.is_cast and one.widest > 0
    assert one.composed == 4 * (192 * 192 + 2 * 192 * 768) and sizes.vae_width_in > 0
    assert sizes.vae == pytest.approx((info.path / "vae" / file.name).stat().st_size, rel=0.02)
    work = Work(info.defaults.width, info.defaults.height, info.defaults.frames)
    found = plan(sizes, work, Memory(4 * GIB, 4 * GIB), "cpu")
    assert found.mode == "resident" and found.needs < GIB


def test_the_doctor_says_the_plan_of_every_known_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    models = default_folders().models
    models.mkdir(parents=True)
    parts = {part: str(tmp_path / part) for part in ("high", "text_encoder", "tokenizer", "vae")}
    gone = {"format": 1, "title": "Gone", "model": "wan2.1-t2v-14b", "parts": parts}
    (models / "gone.wanmodel.json").write_text(json.dumps(gone), "utf-8")
    found = dict(planned("cuda", Memory(24 * GIB, 24 * GIB)))
    demo = find_model("demo")
    assert "All resident" in found.pop(demo.title) and len(found) == 1
    assert next(iter(found.values())).startswith("no plan: ")


def test_the_computer_says_how_much_memory_it_has() -> None:
    memory = host_memory()
    assert 0 < memory.free <= memory.total
    if Path("/proc/meminfo").exists():
        assert memory.total > 256 << 20
