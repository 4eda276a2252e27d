"""An accelerator comes with one click, settings and strips together, and goes with one."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from catalog.accelerators import Accelerator, accelerator
from catalog.folders import Folders
from catalog.identify import Identity
from catalog.library import Entry
from catalog.recipe import Guidance, dumps
from engine.bridge import EngineBridge
from engine.messages import Strip
from tests.unit.catalog.builders import wan_lora, write
from ui.accelerate.button import AccelerateButton
from ui.accelerate.choice import FileChoice
from ui.app import Program
from ui.browser.cards import CardModel
from ui.desk.strip import StripView
from ui.state.accelerator import AcceleratorState
from ui.state.automation import Automation
from ui.state.hearing import Hearing
from ui.state.mix import MixState
from ui.state.recipe_desk import BEFORE, RecipeDesk
from ui.state.run import RunState


def profile(id: str) -> Accelerator:
    found = accelerator(id)
    assert found is not None
    return found


FAST, LIGHTNING = profile("lightx2v-2.2-t2v-4"), profile("lightning-2.2-t2v-250928-4")
FUSION = profile("fusionix-2.1-t2v-10")


def lora(name: str, contradictions: tuple[str, ...] = (), width: int = 5120) -> Entry:
    identity = Identity("Wan", True, "Wan · LoRA", width=width, blocks=40, contradictions=contradictions)
    return Entry(Path("/loras") / name, Path(name).stem, 1000, name, identity, "", "library")


@dataclass
class Bench:
    """A desk with one strip of the user's, and a library."""

    run: RunState
    mix: MixState
    cards: CardModel
    state: AcceleratorState
    said: list[tuple[str, str, str, str]]
    own: str

    def names(self) -> list[str]:
        return [strip.path.name for strip in self.mix.strips]

    def there(self, *profiles: Accelerator) -> None:
        """Put the files of profiles into the library."""
        self.cards.take([lora(part.file) for each in profiles for part in each.loras])


@pytest.fixture
def bench(bridge: EngineBridge, mix: MixState) -> Bench:
    run, cards = RunState(bridge), CardModel()
    run.model = replace(run.model, entry="wan2.2-t2v-a14b", width_inner=5120, layers=40)
    run.change(replace(run.settings, steps=30, shift=7.0, guidance=Guidance(4.0, 3.0)))
    state = AcceleratorState(run, mix, cards)
    said: list[tuple[str, str, str, str]] = []
    state.message.connect(lambda *message: said.append(message))
    own = mix.add(Path("/loras/mine.safetensors"))
    return Bench(run, mix, cards, state, said, own)


def test_one_click_sets_all_and_one_takes_it_back(bench: Bench) -> None:
    bench.there(FAST)
    before = bench.run.settings
    bench.state.begin(FAST)
    now = bench.run.settings
    assert (now.steps, now.scheduler, now.sigmas, now.boundary_step) == (4, "euler", FAST.sigmas, 2)
    assert now.guidance == Guidance(1.0, 1.0) and now.accelerator == FAST.id
    assert bench.names() == [FAST.loras[0].file, FAST.loras[1].file, "mine.safetensors"]
    assert [(s.high, s.low) for s in bench.mix.mix.strips] == [(1, 0), (0, 1), (1, 1)]
    assert bench.run.recipe().accelerator == FAST.id
    bench.state.take_back()
    assert bench.run.settings == before and bench.names() == ["mine.safetensors"]


def test_undo_and_redo_have_settings_and_strips(bench: Bench) -> None:
    bench.there(FAST)
    before, steps = bench.run.settings, bench.mix.undo.count()
    bench.state.begin(FAST)
    fast = bench.run.settings
    assert bench.mix.undo.count() == steps + 1
    bench.mix.undo.undo()
    assert bench.run.settings == before and bench.names() == ["mine.safetensors"]
    bench.mix.undo.redo()
    assert bench.run.settings == fast and len(bench.names()) == 3


def test_what_was_changed_meanwhile_stays(bench: Bench) -> None:
    bench.there(FAST)
    bench.state.begin(FAST)
    bench.run.change(replace(bench.run.settings, guidance=Guidance(1.5, 1.0), prompt="a fox"))
    bench.state.take_back()
    now = bench.run.settings
    assert now.guidance == Guidance(1.5, 1.0) and now.prompt == "a fox"
    assert (now.steps, now.scheduler, now.sigmas, now.boundary_step) == (30, None, None, None)
    assert now.accelerator is None


def test_another_profile_takes_the_place_and_the_way_back_is_the_users(bench: Bench) -> None:
    bench.there(FAST, LIGHTNING)
    before = bench.run.settings
    bench.state.begin(FAST)
    bench.state.begin(LIGHTNING)
    now = bench.run.settings
    assert (now.shift, now.boundary, now.boundary_step, now.sigmas) == (3.0, 0.876, None, None)
    assert len(bench.names()) == 3 and bench.state.active == LIGHTNING.id
    bench.state.take_back()
    assert bench.run.settings == before


def test_the_same_profile_again_sets_what_was_changed(bench: Bench) -> None:
    bench.there(FAST)
    before = bench.run.settings
    bench.state.begin(FAST)
    fast, ids = bench.run.settings, [strip.id for strip in bench.mix.strips]
    bench.run.change(replace(fast, guidance=Guidance(5.0, 5.0)))
    bench.mix.set_strength(ids[0], "high", 0.4)
    bench.state.begin(FAST)
    assert bench.run.settings == fast and [strip.id for strip in bench.mix.strips] == ids
    assert bench.mix.strips[0].high == 1
    bench.state.take_back()
    assert bench.run.settings == before


def test_a_strip_of_the_same_file_steps_aside_and_comes_back(bench: Bench) -> None:
    bench.there(FUSION)
    (part,) = FUSION.loras
    bench.mix.add(Path("/loras") / part.file)
    bench.mix.set_strength(bench.mix.strips[1].id, "low", 0.3)
    own = bench.mix.strips
    bench.state.begin(FUSION)
    assert bench.names() == [part.file, "mine.safetensors"]
    bench.mix.undo.undo()
    assert bench.mix.strips == own
    bench.mix.undo.redo()
    bench.mix.undo.undo()
    bench.state.begin(FUSION)
    bench.state.take_back()
    assert sorted(bench.mix.strips, key=own.index) == list(own)


def test_a_missing_file_is_named_with_its_place(bench: Bench) -> None:
    bench.cards.take([lora(FAST.loras[0].file)])
    before = bench.run.settings
    bench.state.begin(FAST)
    assert bench.run.settings == before and bench.names() == ["mine.safetensors"]
    ((kind, sentence, advice, details),) = bench.said
    assert kind == "look" and FAST.loras[1].file in sentence and FAST.loras[0].file not in sentence
    assert "lightx2v/Wan2.2-Distill-Loras" in advice and "https://huggingface.co/lightx2v" in details


def test_a_file_of_another_model_is_not_taken_whatever_its_name(bench: Bench) -> None:
    bench.cards.take([lora(part.file, width=1536) for part in FUSION.loras])
    bench.state.begin(FUSION)
    assert bench.names() == ["mine.safetensors"]
    assert "cannot be used" in bench.said[0][3] and "1536" in bench.said[0][3]


def test_several_files_are_asked_about(qtbot: QtBot, bench: Bench) -> None:
    (part,) = FUSION.loras
    other = part.file.replace("LoRA", "LoRA_v2")
    bench.cards.take([lora(part.file), lora(other)])
    button = AccelerateButton(bench.state, bench.run)
    qtbot.addWidget(button)
    bench.state.begin(FUSION)
    (dialog,) = button.window().findChildren(FileChoice)
    assert bench.names() == ["mine.safetensors"]
    (box,) = dialog.findChildren(QComboBox)
    assert [box.itemText(i) for i in range(box.count())] == [part.file, other]
    box.setCurrentIndex(1)
    dialog.accept()
    assert bench.names() == [other, "mine.safetensors"] and bench.run.settings.steps == 10


def test_the_group_is_muted_moved_and_removed_together(bench: Bench) -> None:
    bench.there(FAST)
    other = bench.mix.add(Path("/loras/other.safetensors"))
    bench.state.begin(FAST)
    high, low = (strip.id for strip in bench.mix.strips[:2])
    bench.mix.set_muted(low, True)
    assert [strip.is_muted for strip in bench.mix.strips] == [True, True, False, False]
    order: Callable[[], list[str]] = lambda: [strip.id for strip in bench.mix.strips]
    bench.mix.step(high, 1)
    assert order() == [bench.own, high, low, other]
    bench.mix.step(other, -1)
    assert order() == [bench.own, other, high, low]
    bench.mix.step(other, 1)
    assert order() == [bench.own, high, low, other]
    bench.mix.step(bench.own, 1)
    assert order() == [high, low, bench.own, other]
    bench.mix.move(low, 3)
    assert order() == [bench.own, other, high, low]
    bench.mix.move(bench.own, 2)
    assert order() == [other, high, low, bench.own]
    bench.mix.remove(low)
    assert order() == [other, bench.own] and bench.run.settings.steps == 30


def test_solo_neither_silences_the_group_nor_counts_it(bench: Bench) -> None:
    bench.there(FAST)
    bench.state.begin(FAST)
    high = bench.mix.strips[0].id
    bench.mix.set_solo(high, True)
    assert not bench.mix.strips[0].is_solo
    other = bench.mix.add(Path("/loras/other.safetensors"))
    bench.mix.set_solo(bench.own, True)
    heard = {strip.adapter: (strip.high, strip.low) for strip in bench.mix.mix.strips}
    assert heard[high] == (1, 0) and heard[bench.own] == (1, 1) and heard[other] == (0, 0)
    assert Strip(high, 1.0, 0.0) in bench.mix.mix.strips


def test_the_next_session_and_a_recipe_know_the_group(bench: Bench) -> None:
    bench.there(FAST)
    bench.state.begin(FAST)
    settings, uses = bench.run.settings, bench.mix.all_uses()
    bench.mix.load([(use, Path(use.file), None) for use in uses])
    assert [strip.group for strip in bench.mix.strips] == [FAST.id, FAST.id, ""]
    assert bench.run.settings == settings
    fresh = AcceleratorState(bench.run, bench.mix, bench.cards)  # does not know what was before
    bench.mix.load([(use, Path(use.file), None) for use in uses])
    bench.state.deleteLater()
    fresh.take_back()
    assert bench.run.settings.accelerator is None and bench.names() == ["mine.safetensors"]


def test_after_a_restart_taking_back_brings_what_was_before(
    qtbot: QtBot, bench: Bench, bridge: EngineBridge, folders: Folders, tmp_path: Path
) -> None:
    files = [write(folders.library / part.file, wan_lora()) for part in FAST.loras]
    bench.cards.take([replace(lora(file.name), path=file, sha256="") for file in files])
    double = bench.mix.add(files[0])
    bench.mix.set_strength(double, "high", 0.4)
    before = bench.run.settings
    bench.state.begin(FAST)
    assert [strip.path for strip in bench.mix.strips[:2]] == files and bench.mix.strip(double) is None
    RecipeDesk(bench.run, bench.mix, bench.cards, folders).keep(tmp_path / "s.json", bench.state.before())

    run, mix = RunState(bridge), MixState(bridge)
    run.model = bench.run.model
    state = AcceleratorState(run, mix, bench.cards)
    RecipeDesk(run, mix, bench.cards, folders).bring_back(tmp_path / "s.json", state.recall)
    assert state.active == FAST.id and run.settings.steps == 4
    state.take_back()
    assert run.settings == before
    (kept,) = mix.strips
    assert (kept.path, kept.high, kept.group) == (files[0], 0.4, "")


@pytest.mark.parametrize("damage", ["[]", '{"version": 1, "steps": "many"}', '{"version": 1, "steps": 7}'])
def test_a_damaged_note_of_what_was_before_is_no_failure(
    bench: Bench, bridge: EngineBridge, folders: Folders, tmp_path: Path, damage: str
) -> None:
    write(folders.library / FAST.loras[0].file, wan_lora())
    session = replace(bench.run.recipe(), accelerator=FAST.id, extra={BEFORE: json.loads(damage)})
    (tmp_path / "s.json").write_text(dumps(session), "utf-8")
    desk = RecipeDesk(bench.run, bench.mix, bench.cards, folders)
    desk.bring_back(tmp_path / "s.json", bench.state.recall)
    assert bench.run.settings.steps == 30 and bench.run.settings.accelerator == FAST.id
    bench.state.take_back()
    assert bench.run.settings.accelerator is None


def test_another_model_keeps_it_only_where_it_is_for_that_too(bench: Bench) -> None:
    bench.there(FUSION)
    bench.state.begin(FUSION)
    other = replace(bench.run.model, entry="wan2.1-t2v-14b", path=Path("/models/other"))
    bench.run._wear(other)
    assert bench.run.settings.accelerator == FUSION.id and bench.run.settings.steps == 10
    bench.run._wear(replace(other, entry="wan2.1-t2v-1.3b", path=Path("/models/small")))
    assert bench.names() == ["mine.safetensors"] and bench.run.settings.accelerator is None
    assert bench.run.settings.steps == other.defaults.steps
    assert "not for" in bench.said[-1][2]


def test_a_strip_of_the_group_says_so(qtbot: QtBot, bridge: EngineBridge, bench: Bench) -> None:
    bench.there(FAST)
    bench.state.begin(FAST)
    automation = Automation(bridge, bench.run, bench.mix)
    views = [
        StripView(strip.id, bench.mix, Hearing(bridge, bench.mix), automation) for strip in bench.mix.strips
    ]
    for view in views:
        qtbot.addWidget(view)
        view.show()
    backs = [view._group.back for view in views]
    assert [back.isVisible() for back in backs] == [True, False, False]
    assert [view._head.solo.isVisible() for view in views] == [False, False, True]
    assert isinstance(backs[0], QPushButton)
    backs[0].click()
    assert bench.names() == ["mine.safetensors"] and bench.run.settings.steps == 30


def test_the_button_and_its_menu(qtbot: QtBot, bench: Bench) -> None:
    bench.there(FAST)
    button = AccelerateButton(bench.state, bench.run)
    qtbot.addWidget(button)
    assert button.accessibleName() == "Accelerator: none"
    menu = button.menu_now()
    texts = [action.text() for action in menu.actions() if action.text()]
    assert "LightX2V · 4 steps" in texts and "Lightning 2025-09-28 · 4 steps   (2 files missing)" in texts
    assert texts[-1] == "Take it back" and not menu.actions()[-1].isEnabled()
    menu.actions()[0].trigger()
    assert bench.state.active == FAST.id and FAST.title in button.toolTip()
    again = button.menu_now()
    assert again.actions()[0].isChecked()
    again.actions()[-1].trigger()
    assert button.accessibleName() == "Accelerator: none"


def test_the_window_offers_it_and_the_demo_has_none(program: Program) -> None:
    (button,) = program.window.desk.findChildren(AccelerateButton)
    actions = button.menu_now().actions()
    assert "No accelerator is known for Demo" in actions[0].text() and not actions[0].isEnabled()
