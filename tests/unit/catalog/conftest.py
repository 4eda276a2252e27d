"""Settings for the catalog's property tests: HYPOTHESIS_PROFILE=fuzz searches thirty times longer."""

import os

from hypothesis import settings

# a busy machine must not make a property fail
settings.register_profile("catalog", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=3_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "catalog"))
