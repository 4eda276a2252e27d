"""Which models the shelf has, and what it makes of the files of a repository."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from catalog.download import PICKLES
from catalog.hub import HubFile, Repository, is_name
from catalog.model_parts import where_to_get
from catalog.model_table import entries, entry
from catalog.shelf import Shelved, Way, shared_repositories, shelf, ways, ways_in
from catalog.shelf_names import is_of, is_readable, named

R21, R22 = "Comfy-Org/Wan_2.1_ComfyUI_repackaged", "Comfy-Org/Wan_2.2_ComfyUI_Repackaged"
FOLDER = (
    "model_index.json",
    "README.md",
    "LICENSE.txt",
    "assets/logo.png",
    "examples/girl.mp4",
    "transformer/config.json",
    "transformer/diffusion_pytorch_model-00001-of-00002.safetensors",
    "transformer/diffusion_pytorch_model-00002-of-00002.safetensors",
    "transformer/diffusion_pytorch_model.safetensors.index.json",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/model.safetensors",
    "text_encoder/pytorch_model.bin",
    "tokenizer/tokenizer.json",
    "tokenizer/spiece.model",
    "scheduler/scheduler_config.json",
)
SHARED = {
    R21: (
        "split_files/vae/wan_2.1_vae.safetensors",
        "split_files/text_encoders/umt5_xxl_fp8_e4m3fn_scaled.safetensors",
        "split_files/text_encoders/umt5_xxl_fp16.safetensors",
    ),
    R22: ("split_files/vae/wan2.2_vae.safetensors",),
    "Wan-AI/Wan2.1-T2V-1.3B-Diffusers": FOLDER,
}


def holding(name: str, paths: Iterable[str], size: int = 10) -> Repository:
    return Repository(name, tuple(HubFile(name, "r", path, size, "0" * 64) for path in paths))


def found(**more: Iterable[str]) -> dict[str, Repository]:
    """The repositories of shared parts, r21 and r22 with more files."""
    extra = {R21: more.get("r21", ()), R22: more.get("r22", ())}
    return {name: holding(name, (*paths, *extra.get(name, ()))) for name, paths in SHARED.items()}


def on_shelf(id: str, repositories: dict[str, Repository]) -> tuple[Way, ...]:
    (one,) = [shelved for shelved in shelf() if shelved.row.id == id]
    return ways(one, repositories)


def test_the_shelf_has_every_model_that_can_be_used() -> None:
    usable = {row.id for row in entries() if row.folder or row.files}
    assert {shelved.row.id for shelved in shelf()} == usable
    for shelved in shelf():
        assert shelved.does.endswith(".") and all(is_name(name) for name in shelved.repositories)


def test_shared_parts_are_those_that_other_dialogs_name() -> None:
    """What is said to be missing there is what is fetched here."""
    for shelved in shelf():
        repositories = found()
        said = " ".join(where_to_get(part, shelved.row) for part in ("vae", "text_encoder", "tokenizer"))
        assert all(name in said or name in SHARED for name in shared_repositories())
        vae = f"{'wan2.2_vae' if shelved.row.vae == 'wan2.2' else 'wan_2.1_vae'}.safetensors"
        if shelved.row.architecture and shelved.row.architecture.has_image_branch:
            assert "clip_vision_h.safetensors" in where_to_get("image_encoder", shelved.row)
        assert vae in said and any(f.path.endswith(vae) for r in repositories.values() for f in r.files)


def test_a_folder_is_what_diffusers_reads_and_no_more() -> None:
    name = "Wan-AI/Wan2.2-T2V-A14B-Diffusers"
    (way,) = on_shelf("wan2.2-t2v-a14b", {name: holding(name, FOLDER)})
    assert way.kind == "folder" and way.parts == (Path("Wan2.2-T2V-A14B-Diffusers"),)
    paths = {file.path for file in way.files}
    assert paths == set(FOLDER) - {"assets/logo.png", "examples/girl.mp4", "text_encoder/pytorch_model.bin"}
    assert way.heaviest == 20 and way.size == 10 * len(paths)


def test_a_folder_of_pickles_is_not_offered() -> None:
    paths = [path.replace("model.safetensors", "model.bin") for path in FOLDER]
    assert not ways_in(holding("a/b", paths), found())


def test_single_files_are_offered_by_format_with_all_they_need() -> None:
    base = "split_files/diffusion_models/wan2.2_t2v"
    offered = on_shelf(
        "wan2.2-t2v-a14b",
        found(
            r22=[
                f"{base}_{expert}_noise_14B_{numbers}.safetensors"
                for expert in ("high", "low")
                for numbers in ("fp16", "fp8_scaled")
            ]
            + [f"{base}_high_noise_14B_bf16.safetensors"]
        ),
    )
    assert [way.numbers for way in offered] == ["fp8 scaled", "fp16"]
    first = offered[0]
    assert [path.name for path in first.parts] == [
        "wan2.2_t2v_high_noise_14B_fp8_scaled.safetensors",
        "wan2.2_t2v_low_noise_14B_fp8_scaled.safetensors",
        "wan_2.1_vae.safetensors",
        "umt5_xxl_fp8_e4m3fn_scaled.safetensors",
        "tokenizer",
    ]
    assert {file.path for file in first.files} >= {"tokenizer/tokenizer.json", "tokenizer/spiece.model"}


def test_another_model_of_the_repository_is_not_taken_for_this_one() -> None:
    strangers = [
        f"split_files/diffusion_models/{name}.safetensors"
        for name in (
            "wan2.1_t2v_1.3B_fp16",
            "wan2.1_i2v_480p_14B_fp16",
            "wan2.1_fun_control_1.3B_bf16",
            "wan2.1_t2v_14B_lora_rank64_fp16",
            "wan2.1_t2v_14B_fp16-00001-of-00002",
        )
    ] + ["split_files/diffusion_models/wan2.1_t2v_14B_fp16.pth"]
    assert not on_shelf("wan2.1-t2v-14b", found(r21=strangers))
    (small,) = on_shelf("wan2.1-t2v-1.3b", {**found(r21=strangers)})[1:]
    assert small.numbers == "fp16" and small.files[0].path.endswith("1.3B_fp16.safetensors")


def test_files_are_not_offered_without_their_other_parts() -> None:
    files = ["wan2.1_t2v_14B_fp16.safetensors"]
    whole = found(r21=files)
    assert on_shelf("wan2.1-t2v-14b", whole)
    for name in ("Wan-AI/Wan2.1-T2V-1.3B-Diffusers",):
        assert not on_shelf("wan2.1-t2v-14b", {k: v for k, v in whole.items() if k != name})


def test_models_that_see_pictures_come_with_their_image_encoder() -> None:
    files = ["wan2.1_i2v_480p_14B_fp16.safetensors"]
    assert not on_shelf("wan2.1-i2v-14b-480p", found(r21=files))
    (way,) = on_shelf(
        "wan2.1-i2v-14b-480p", found(r21=[*files, "split_files/clip_vision/clip_vision_h.safetensors"])
    )
    assert "clip_vision_h.safetensors" in [path.name for path in way.parts]


def test_any_repository_can_be_looked_through() -> None:
    names = [f"{expert}/Wan2.2-I2V-A14B-{expert}-{q}.gguf" for expert in ("HighNoise", "LowNoise")
             for q in ("Q4_K_M", "Q8_0", "IQ3_XXS")]  # fmt: skip
    offered = ways_in(holding("somebody/Wan2.2-I2V-A14B-GGUF", names), found())
    assert [(way.row and way.row.id, way.numbers) for way in offered] == [
        ("wan2.2-i2v-a14b", "GGUF Q4_K_M"),
        ("wan2.2-i2v-a14b", "GGUF Q8_0"),
    ]


def test_another_maker_may_have_more_formats() -> None:
    row = entry("wan2.1-t2v-14b")
    assert row
    more = holding("maker/gguf", ["wan2.1-t2v-14b-Q4_K_M.gguf"])
    shelved = Shelved(row, "", also=(more.name,))
    offered = ways(shelved, found(r21=["wan2.1_t2v_14B_fp16.safetensors"]) | {more.name: more})
    assert more.name in shelved.repositories and [way.numbers for way in offered] == ["fp16", "GGUF Q4_K_M"]


@pytest.mark.parametrize(
    ("path", "id", "expert", "numbers"),
    [
        ("wan2.1-t2v-14b-Q4_K_S.gguf", "wan2.1-t2v-14b", None, "GGUF Q4_K_S"),
        ("Wan2_1-T2V-14B_fp8_e4m3fn.safetensors", "wan2.1-t2v-14b", None, "fp8 e4m3fn"),
        ("Wan2_1-T2V-1_3B_bf16.safetensors", "wan2.1-t2v-1.3b", None, "bf16"),
        ("x/wan2.1_flf2v_720p_14B_fp16.safetensors", "wan2.1-flf2v-14b", None, "fp16"),
        ("wan2.1_vace_1.3B_fp16.safetensors", "wan2.1-vace-1.3b", None, "fp16"),
        ("Phantom-Wan-14B_fp8_e4m3fn.safetensors", "wan2.1-phantom-14b", None, "fp8 e4m3fn"),
        ("Phantom-Wan-1_3B_fp16.safetensors", "wan2.1-phantom-1.3b", None, "fp16"),
        ("Phantom_Wan_14B-Q4_K_M.gguf", "wan2.1-phantom-14b", None, "GGUF Q4_K_M"),
        ("wan2.2_ti2v_5B_fp16.safetensors", "wan2.2-ti2v-5b", None, "fp16"),
        ("HighNoise/Wan2.2-T2V-A14B-HighNoise-Q3_K_S.gguf", "wan2.2-t2v-a14b", "high", "GGUF Q3_K_S"),
        ("Wan2.1_14B_VACE-Q4_K_M.gguf", "wan2.1-vace-14b", None, "GGUF Q4_K_M"),
        ("wan2.2_i2v_low_noise_14B_fp8_scaled.safetensors", "wan2.2-i2v-a14b", "low", "fp8 scaled"),
    ],
)
def test_names_in_the_ways_people_write_them(path: str, id: str, expert: str | None, numbers: str) -> None:
    name, row = named(path), entry(id)
    assert name and row and is_readable(name)
    assert (name.expert, name.numbers) == (expert, numbers)
    assert [other.id for other in entries() if other.version and is_of(name, other)] == [id]


def test_nothing_on_the_shelf_is_a_pickle() -> None:
    everything = found(r21=["wan2.1_t2v_14B_fp16.safetensors", "wan2.1_t2v_14B_bf16.pth"])
    for shelved in shelf():
        for way in ways(shelved, everything):
            assert not [file for file in way.files if file.path.endswith(PICKLES)]
