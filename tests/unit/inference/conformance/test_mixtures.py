"""Any mixture of types, ranks, number types and names is the sum of what its parts mean.

CONFORMANCE_EXAMPLES asks for more than the few that every run tries.
"""

import os
import re
import tempfile
from functools import partial
from pathlib import Path

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.inference.conformance import kinds, law
from tests.unit.inference.conformance.bench import bases, bench
from tests.unit.inference.conformance.files import (
    CONVOLUTIONS,
    LINEARS,
    NORMS,
    TABLES,
    Case,
    Part,
    make,
    sites,
)
from tests.unit.inference.conformance.names import (
    BARE,
    DIFFUSERS,
    KOHYA,
    KOHYA_DIFFUSERS,
    LYCORIS,
    NATIVE,
    PEFT_TRANSFORMER,
    STACKED,
    VIDEOX,
)

EXAMPLES = int(os.environ.get("CONFORMANCE_EXAMPLES", "15"))
PARAMETERS = dict(bases("t2v")["high"].named_parameters())

ranks = st.integers(1, 6)
alphas = st.none() | st.sampled_from([0.0, 0.5, 1.0, 4.0, 32.0])
forms = st.sampled_from(["full", "ab"])
styles = st.sampled_from(
    [NATIVE, BARE, DIFFUSERS, KOHYA, KOHYA_DIFFUSERS, LYCORIS, PEFT_TRANSFORMER, STACKED, VIDEOX]
)
dtypes = st.sampled_from([torch.float32, torch.float16, torch.bfloat16, torch.float8_e5m2, torch.float64])
pairs = st.builds(
    partial,
    st.just(kinds.pair),
    spelling=st.sampled_from(sorted(kinds.SPELLINGS)),
    rank=ranks,
    alpha=alphas,
    dtype=dtypes,
    with_bias=st.booleans(),
)
lohas = st.builds(partial, st.just(kinds.loha), rank=ranks, alpha=alphas)
lokrs = st.builds(
    partial,
    st.just(kinds.lokr),
    first=forms,
    second=forms,
    rank=ranks,
    alpha=alphas,
    near_square=st.booleans(),
)
low_rank = pairs | lohas | lokrs
doras_by_row = st.builds(partial, st.just(kinds.dora), inner=low_rank, axis=st.just("out"))
doras = doras_by_row | st.builds(partial, st.just(kinds.dora), inner=low_rank, axis=st.just("in"))
gloras = st.builds(partial, st.just(kinds.glora), rank=ranks, alpha=alphas, old=st.booleans())
ofts = st.builds(
    partial,
    st.just(kinds.oft),
    size=st.sampled_from([2, 4, 8]),
    rescale=st.booleans(),
    constraint=st.sampled_from([0.0, 0.01]),
)
ia3s = st.builds(partial, st.just(kinds.ia3), on_input=st.booleans())
wholes = st.builds(partial, st.just(kinds.difference), std=st.floats(0.01, 1.0))
replaced = st.just(kinds.set_weight)

for_linears = low_rank | doras | gloras | ofts | ia3s | wholes | replaced
for_convolutions = low_rank | doras_by_row | wholes | replaced
for_norms = wholes | replaced


def parts(where: str, of_kind: st.SearchStrategy[kinds.Kind], style: st.SearchStrategy) -> st.SearchStrategy:
    """One kind on one of the layers that match."""
    return st.builds(Part, style, of_kind, st.sampled_from(sites(PARAMETERS, where)).map(re.escape))


cases = st.lists(
    parts(LINEARS, for_linears, styles)
    | parts(CONVOLUTIONS, for_convolutions, styles)
    | parts(NORMS, for_norms, st.just(NATIVE))
    | parts(TABLES, wholes, st.just(NATIVE)),
    min_size=1,
    max_size=10,
    unique_by=lambda part: part.where,
).map(lambda found: Case(tuple(found)))
strengths = st.floats(-2, 2)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(cases, min_size=1, max_size=2),
    st.integers(0, 1000),
    strengths,
    st.sampled_from(["exact", "fast"]),
)
def test_a_mixture_is_the_sum_of_its_parts(mixed: list[Case], seed: int, strength: float, way: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = bench(Path(folder), way=way)
        differences = []
        for number, case in enumerate(mixed):
            file = make(case, made.bare, f"{seed} {number}")
            coverage = made.attach(str(number), file)
            assert (coverage.ignored, coverage.errors) == ((), ())
            differences.append((strength / (number + 1), file.expected["high"]))
        made.set(**{str(number): share for number, (share, _) in enumerate(differences)})
        expected = law.total(*differences)
        made.assert_differs_by(expected)
        made.assert_plays((1.0, expected))
        for number in range(len(mixed)):
            made.rack.detach(str(number))
        made.assert_untouched()
