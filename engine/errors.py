"""What can go wrong in the engine, said to the user."""

from catalog.errors import ExpectedError


class EngineError(ExpectedError):
    """An expected failure around models, runs and clips."""


class Cancelled(Exception):
    """The run was cancelled before step `step` was done; not a failure."""

    step = 0


class ModelFailed(EngineError):
    """The model's files cannot be loaded."""

    advice = "Check that the model folder is complete and download missing files again."


class AdapterRefused(EngineError):
    """A LoRA file that cannot be applied to the loaded model; nothing was changed."""

    advice = "Use a LoRA made for this model; “inspect” says what the file is."


class BadSettings(EngineError):
    """A setting that this model does not accept; the sentence says what is allowed."""

    advice = "Change the setting and press Generate again."


class BadNumbers(EngineError):
    """The picture became NaN or infinite while it was being denoised."""

    advice = "Lower the strengths: the LoRA with the largest one is the likely cause."


class OutOfMemory(EngineError):
    """The device has too little memory for this run."""

    advice = "Choose a smaller size or fewer frames, or close other programs that use the device."


class CompileFailed(EngineError):
    """PyTorch's compiler did not manage a transformer block."""

    advice = "Turn off “Compile” under “How it is computed” in the settings, then try again."


class CannotContinue(EngineError):
    """A clip that cannot be rendered on from one of its steps; nothing was changed."""

    advice = "Press Generate: the clip is then made anew from its first step."


class EncodeFailed(EngineError):
    """ffmpeg did not produce a sound file; the frames are kept, so saving can be tried again."""

    advice = "Free some disk space or choose another folder, then export the clip again."


class PictureRefused(EngineError):
    """A picture or a clip that was given to the model and cannot be used."""

    advice = "Choose a picture (PNG, JPEG, WebP, BMP, TIFF, AVIF) or a clip (MP4, WebM, GIF)."
