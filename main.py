"""`python main.py` opens the window; `render`, `inspect` and `doctor` work without one."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(words)
    if arguments.command is None:
        return _window(words)
    from engine.last_resort import guarded
    from engine.standard_streams import forgiving

    with forgiving():
        return guarded(lambda: _without_a_window(arguments))


def _without_a_window(arguments: argparse.Namespace) -> int:
    match arguments.command:
        case "render":
            from engine.render import render

            return render(
                arguments.recipe,
                out=arguments.out,
                latents=arguments.latents,
                device=arguments.device,
                memory=arguments.memory,
                as_json=arguments.json,
            )
        case "inspect":
            from catalog.inspect_files import main as inspect

            return inspect(
                arguments.file, as_json=arguments.json, model=arguments.model, more=_sizes(arguments.sizes)
            )
        case _:
            from engine.doctor import doctor

            return doctor()


def _sizes(are_wanted: bool) -> Any:
    """What adds them; it brings torch in."""
    if not are_wanted:
        return None
    from engine.file_gauges.inspect import Sizes

    return Sizes()


def _window(words: Sequence[str]) -> int:
    from engine.doctor import missing_for_a_window

    if missing := missing_for_a_window():
        sys.stderr.write(f"{missing}\n`python main.py doctor` lists everything that is missing.\n")
        return 2
    from ui.app import main as open_window

    return open_window([sys.argv[0], *words])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="main.py", description="LoRA Alchemy: a mixing desk for Wan LoRAs.")
    commands = parser.add_subparsers(dest="command", title="without a window")

    render = commands.add_parser("render", help="make clips from recipes, or again from finished clips")
    render.add_argument("recipe", nargs="+", type=Path, help="a recipe (.json) or a clip made here")
    render.add_argument(
        "--out", required=True, type=Path, metavar="PATH", help="a file for one, a folder for several"
    )
    render.add_argument(
        "--latents",
        type=Path,
        metavar="PATH",
        help="also save the final latents: a .safetensors file for one, a folder for several",
    )
    render.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    render.add_argument(
        "--memory",
        choices=("auto", "resident", "balanced", "low"),
        default="auto",
        help="how much of the model is kept on the device: as much as fits, all, some, a block at a time",
    )
    render.add_argument("--json", action="store_true", help="one JSON object a line on stdout per event")

    inspect = commands.add_parser("inspect", help="say what LoRA files are, from their tensors")
    inspect.add_argument("file", nargs="+", type=Path)
    inspect.add_argument(
        "--model", default="", metavar="NAME_OR_FOLDER", help="also say how much applies to this model"
    )
    inspect.add_argument("--sizes", action="store_true", help="also measure how large their changes are")
    inspect.add_argument("--json", action="store_true")

    commands.add_parser("doctor", help="say what this machine has and what is missing")
    return parser


if __name__ == "__main__":
    sys.exit(main())
