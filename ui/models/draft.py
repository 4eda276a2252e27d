"""The model that is being put together: its files, what each plays, and whether it can be saved."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from catalog.model_assembly import Assembly, place_for, saved_assemblies, write_assembly
from catalog.model_proposal import alike, assign, doubt, propose, suggest
from catalog.part_files import PartFile, Role


class Draft(QObject):
    """Nothing is written before `save`. `folder` is where descriptions of models are kept."""

    changed = Signal()

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.files: tuple[PartFile, ...] = ()
        self.roles: dict[Path, Role] = {}
        self.proposal = propose((), {})
        self.is_confirmed = False
        self._folder = folder
        self._taken = {assembly.title.casefold() for assembly in saved_assemblies(folder)}
        self._wanted = ""
        self._chosen: dict[Path, Role] = {}

    # What holds now

    @property
    def needs_confirming(self) -> bool:
        """Whether names or nothing told the experts apart, and the user has not."""
        return any(self.doubt(file) for file in self.files)

    @property
    def problem(self) -> str:
        """Why this is no model yet, names aside; "" when it is one."""
        if self.proposal.problem:
            return self.proposal.problem
        if self.needs_confirming and not self.is_confirmed:
            return "Confirm which expert is which."
        return ""

    @property
    def name(self) -> str:
        """What the model might be called: a name that nothing has."""
        lead = self._lead()
        title = lead.checkpoint.title if lead and lead.checkpoint else ""
        if lead and lead.path.is_dir() and self.proposal.rows:
            title = self.proposal.rows[0].title or title
        number, name = 2, title
        while name and self.name_problem(name):
            name, number = f"{title} ({number})", number + 1
        return name

    @property
    def alike(self) -> tuple[str, ...]:
        """The models that one transformer may be besides those among which one can choose."""
        lead = self._lead()
        is_alone = lead is not None and self.roles[lead.path] == "alone"
        return alike(lead, self.proposal.rows) if lead and is_alone else ()

    def doubt(self, file: PartFile) -> str:
        """Why the expert has to be confirmed; "" when the user chose one."""
        if any(role in ("high", "low") for role in self._chosen.values()):
            return ""
        return doubt(file, self.roles[file.path])

    def name_problem(self, name: str) -> str:
        """Why the model cannot be called that; "" when it can."""
        if not name.strip():
            return "Give the model a name."
        place = place_for(name, self._folder)
        if name.strip().casefold() in self._taken or place.exists():
            return "A model of that name is saved already: choose another name."
        return ""

    # What one does

    def add(self, files: Sequence[PartFile]) -> None:
        """Take more files in; what the user chose stays."""
        known = {file.path for file in self.files}
        self.files += tuple(file for file in files if file.path not in known)
        self.roles = suggest(self.files)
        for path, role in self._chosen.items():
            self.roles = assign(self.roles, path, role)
        self._settle()

    def choose(self, path: Path, role: Role) -> None:
        """Let a file play a role; whoever played it takes the other one."""
        self._chosen.pop(path, None)
        self._chosen[path] = role  # the newest choice comes last, and wins
        self.roles = assign(self.roles, path, role)
        self._settle()

    def want(self, row: str) -> None:
        """Prefer a row of the model table where several fit."""
        self._wanted = row
        self._settle()

    def confirm(self, is_confirmed: bool) -> None:
        """The experts are as proposed."""
        self.is_confirmed = is_confirmed
        self.changed.emit()

    def save(self, name: str) -> Path:
        """Write the description. Raises FileExistsError rather than replace one, OSError."""
        assert self.proposal.parts is not None
        path = place_for(name, self._folder)
        row = self.proposal.rows[0]
        write_assembly(Assembly(path, name.strip(), row, self.proposal.parts))
        return path

    def _settle(self) -> None:
        before = self.proposal.parts
        self.proposal = propose(self.files, self.roles, self._wanted)
        self.is_confirmed &= before == self.proposal.parts
        self.changed.emit()

    def _lead(self) -> PartFile | None:
        playing = (f for role in ("alone", "high", "low") for f in self.files if self.roles[f.path] == role)
        return next(playing, None)
