"""A compiler for torch.compile that needs no tools."""

import torch
from torch import Tensor


class Graphs:
    """Runs what it is given as it is, and counts how often it is asked to compile."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, graph: torch.fx.GraphModule, _: list[Tensor]) -> object:
        self.count += 1
        return graph.forward
