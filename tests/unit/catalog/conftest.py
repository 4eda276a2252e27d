"""Settings for the catalog's property tests."""

from hypothesis import settings

# a busy machine must not make a property fail
settings.register_profile("catalog", deadline=None)
settings.load_profile("catalog")
