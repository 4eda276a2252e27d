"""All parts of a loaded model where a plan wants them, phase by phase."""

from collections.abc import Mapping

from catalog.models import Expert
from engine.inference.checkpoints.components import Components
from engine.inference.lora.beside import Beside
from engine.inference.streaming.residence import Residence
from engine.plan import PhaseName, Plan


class Placement:
    """Lets a model's parts stay, take turns or stream. Used by one thread, between forwards."""

    def __init__(self, parts: Components) -> None:
        self._beside: Mapping[Expert, Mapping[str, Beside]] = {}
        self._text = Residence(parts.text_encoder, parts.device)
        self._experts = {
            expert: Residence(model, parts.device, lambda e=expert: self._beside.get(e, {}))  # type: ignore[misc]
            for expert, model in parts.experts.items()
        }
        parts.vae.to(parts.device)
        always = [parts.vae] if parts.image_encoder is None else [parts.vae, parts.image_encoder]
        self._always: int = sum(p.nbytes for part in always for p in part.parameters())
        self.plan: Plan | None = None

    def travel_with(self, beside: Mapping[Expert, Mapping[str, Beside]]) -> None:
        """These adapters go where their layers go."""
        self._beside = beside

    @property
    def held(self) -> int:
        """Bytes of host memory that weights take because they stay."""
        return self._always + self._text.held + sum(residence.held for residence in self._experts.values())

    def follow(self, plan: Plan) -> None:
        """Keep to another plan from now on."""
        self.plan = plan
        self._text.stay(self._text.blocks if plan.keeps_text_encoder else 0)
        staying = dict(plan.staying) if plan.mode == "resident" else {}
        for expert, residence in self._experts.items():
            residence.stay(staying.get(expert, 0))

    def begin(self, phase: PhaseName) -> None:
        """Make room for a phase: parts that take turns leave for the one whose turn it is."""
        if self.plan is None or self.plan.mode == "resident":
            return
        counts = dict(self.plan.staying)
        turns = {expert: phase == f"denoise {expert}" for expert in self._experts}
        for expert in sorted(turns, key=turns.__getitem__):  # those that leave go first
            self._experts[expert].stay(counts[expert] if turns[expert] else 0)

    def rest(self) -> None:
        """The run is over."""
        self._text.rest()
        for residence in self._experts.values():
            residence.rest()
