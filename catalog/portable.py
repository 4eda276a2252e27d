"""Recipes without this machine's paths, fit to travel inside a clip."""

import os
from dataclasses import replace
from pathlib import Path

from catalog.folders import chosen, default_folders
from catalog.inputs import mapped
from catalog.recipe import Recipe


def portable(recipe: Recipe, beside: Path) -> Recipe:
    """The recipe with files named as `locate` finds them again from a clip in the folder `beside`.

    Files of the library that the user has chosen go by their name in it, others by their way from the clip;
    the SHA-256 in the recipe finds a library file even after the clip has moved.
    """
    folders = chosen(default_folders())
    homes = (folders.library, folders.built_in)
    loras = tuple(replace(use, file=_name(Path(use.file), homes, beside)) for use in recipe.loras)
    inputs = mapped(recipe.inputs, lambda p: replace(p, file=_name(Path(p.file), (), beside)))
    model = Path(recipe.model)
    return replace(
        recipe,
        inputs=inputs,
        loras=loras,
        model=_name(model, (), beside) if model.is_absolute() else recipe.model,
    )


def _name(file: Path, homes: tuple[Path, ...], beside: Path) -> str:
    if not file.is_absolute():
        return file.as_posix()
    for home in homes:
        for inside, root in ((file, home), (file.resolve(), home.resolve())):
            if inside.is_relative_to(root):
                return inside.relative_to(root).as_posix()
    try:
        return Path(os.path.relpath(file.resolve(), beside.resolve())).as_posix()
    except ValueError:  # another drive
        return file.name
