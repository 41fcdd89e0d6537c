"""AMASS as motions of the 17 Human3.6M joints: the original files through a body model, or already converted ones.

<data set>/<subject>/<sequence>.npz     original: trans, gender, mocap_framerate, betas, poses, dmpls
body_models/{smplh,dmpls}/<gender>/model.npz, J_regressor_h36m.npy      what the original files need; see `smplh`
<data set>.npz                          converted: subject -> sequence -> {positions_3d (F, 17, 3), frame_rate}

Mahmood et al., "AMASS: Archive of Motion Capture as Surface Shapes", ICCV 2019. Which data sets train, the joints and
the resampling are those of Uplift and Upsample's released conversion.
"""

import glob
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from poselib.data.checks import check_array, check_metres
from poselib.data.npz import read_npz, write_objects
from poselib.data.sequences import Motion
from poselib.data.smplh import BETAS, BONES, DMPLS, BodyModel, read_body_model
from poselib.data.videopose3d import mapping
from poselib.errors import InputError
from poselib.skeleton import H36M_17, SPIN_17, convert

FPS = 50.0
GENDERS = ("male", "female", "neutral")
REGRESSOR_FILE = "J_regressor_h36m.npy"
SPLIT = {
    **dict.fromkeys(("CMU", "DanceDB", "MPILimits", "TotalCapture", "EyesJapanDataset", "HUMAN4D", "KIT"), "train"),
    **dict.fromkeys(("BMLhandball", "BMLmovi", "BMLrub", "EKUT", "TCDhandMocap", "ACCAD"), "train"),
    "Transitionsmocap": "train",
    **dict.fromkeys(("MPIHDM05", "SFU", "MPImosh"), "validation"),
}
# The data sets that a stand-in's people are put into, so that it is split as AMASS is.
STAND_IN = {"S1": "CMU", "S5": "CMU", "S6": "KIT", "S7": "KIT", "S8": "ACCAD", "S9": "MPImosh", "S11": "SFU"}


def read_amass(folder: str | Path) -> Iterator[Motion]:
    """Every motion of a folder with the files named at the top of this module, data set by data set, one at a time.

    Args:
        folder: converted files come first, and a data set that is there converted is not read from its original files;
            any shape.npz is passed over.

    Returns:
        Motions at 50 frames per second, metres, z up, where they were recorded; subjects are '<data set>/<subject>'.
        One too short for a single frame at that rate is left out, as the released conversion does.

    Raises:
        InputError: no motion, a data set that is neither for training nor for validation, a missing field, body model
            or regressor, fewer than 50 frames per second, NaN, another unit than metres.
    """
    folder = Path(folder)
    converted = sorted(folder.glob("*.npz"))
    names = (Path(name) for name in sorted(glob.glob("*/*/**/*.npz", root_dir=folder, recursive=True)))
    done = {path.stem for path in converted}
    originals = [name for name in names if name.name != "shape.npz" and name.parts[0] not in ("body_models", *done)]
    if not converted and not originals:
        raise InputError(f"{folder}: holds no AMASS motion (.npz); data/README.md says which files go there")
    for data_set in dict.fromkeys([*(path.stem for path in converted), *(name.parts[0] for name in originals)]):
        split_of(data_set)
    return _motions(folder, converted, originals)


def split_of(subject: str) -> str:
    """'train' or 'validation', by the data set that a subject's name begins with.

    Raises:
        InputError: a data set that Uplift and Upsample used for neither.
    """
    name = subject.partition("/")[0]
    found = [split for known, split in SPLIT.items() if known.lower() == name.replace("_", "").lower()]
    if not found:
        raise InputError(f"AMASS: data set {name!r} is none of {', '.join(SPLIT)}; rename it or take it out")
    return found[0]


def resample_linear(positions: np.ndarray, rate: float) -> np.ndarray:
    """Positions (F, J, 3) at 50 frames per second, on straight lines between frames; F at 50 / `rate` is rounded down.

    The released conversion rounds the same number without the slack used here, which may cost it one frame.
    """
    times = np.arange(int(len(positions) / rate * FPS + 1e-6)) * (rate / FPS)
    before = times.astype(int)
    after, weight = np.minimum(before + 1, len(positions) - 1), (times - before)[:, None, None]
    return positions[before] * (1 - weight) + positions[after] * weight


def write_amass(motions: Iterable[Motion], folder: Path) -> None:
    """Write a stand-in in the form of converted files.

    Args:
        motions: of the `H36M_17` joints, metres, z up; subjects are Human3.6M's, by which they are put into data sets.
    """
    content: dict[str, dict] = {}
    for motion in motions:
        positions = convert(motion.positions, H36M_17, SPIN_17)
        subjects = content.setdefault(STAND_IN[motion.subject], {})
        entry = {"positions_3d": positions, "frame_rate": motion.fps}
        subjects.setdefault(motion.subject, {})["_".join(motion.action.split())] = entry
    folder.mkdir(parents=True, exist_ok=True)
    for data_set, subjects in content.items():
        write_objects(folder / f"{data_set}.npz", positions_3d=subjects)


def _motions(folder: Path, converted: list[Path], originals: list[Path]) -> Iterator[Motion]:
    for path in converted:
        for subject, sequences in mapping(read_npz(path, "positions_3d")["positions_3d"], str(path)).items():
            for name, entry in mapping(sequences, f"{path}, {subject}").items():
                label = f"{path}, {subject} {name}"
                if missing := {"positions_3d", "frame_rate"} - mapping(entry, label).keys():
                    raise InputError(f"{label}: has no {min(missing)!r}; convert the data set again")
                yield from _motion(path.stem, subject, name, entry["positions_3d"], entry["frame_rate"], label)
    if originals:
        regressor = _read_regressor(folder / REGRESSOR_FILE)
        body = cache(lambda gender: read_body_model(folder / "body_models", gender, regressor))
    for name in originals:
        positions, rate = _through_body(folder / name, body)
        yield from _motion(name.parts[0], "/".join(name.parts[1:-1]), name.stem, positions, rate, str(folder / name))


def _motion(data_set: str, subject: str, name: str, positions: Any, rate: Any, label: str) -> Iterator[Motion]:
    positions = check_array(positions, label, len(SPIN_17), 3)
    check_metres(positions, label)
    if not isinstance(rate, int | float | np.number) or not FPS <= rate < np.inf:
        raise InputError(f"{label}: {rate!r} frames per second, at least {FPS:g} are needed; leave the sequence out")
    positions = resample_linear(convert(positions, SPIN_17, H36M_17), float(rate))
    if len(positions):
        yield Motion(f"{data_set}/{subject}", f"motion {name}", H36M_17, FPS, positions.astype(np.float32))


def _through_body(path: Path, body: Callable[[str], BodyModel]) -> tuple[np.ndarray, Any]:
    """Joints (F, 17, 3) of an original file in the regressor's order, and the file's rate."""
    content = read_npz(path, "trans", "gender", "mocap_framerate", "betas", "poses", "dmpls")
    gender, rate = (np.asarray(content[key]).flatten()[:1].tolist() for key in ("gender", "mocap_framerate"))
    gender = [name.decode("latin1") if isinstance(name, bytes) else name for name in gender]
    if not gender or gender[0] not in GENDERS:
        raise InputError(f"{path}, gender: {gender} is none of {', '.join(GENDERS)}; get the file again")
    frames = max(1, len(np.atleast_1d(content["poses"])))
    widths = {"poses": 3 * BONES, "dmpls": DMPLS, "trans": 3}
    moving = {key: _numbers(content[key], (frames, width), f"{path}, {key}") for key, width in widths.items()}
    betas = _numbers(content["betas"], (BETAS,), f"{path}, betas")
    return body(gender[0]).joints(betas, **moving), rate[0] if rate else None


def _numbers(array: Any, shape: tuple[int, ...], label: str) -> np.ndarray:
    """The array in float64, its last axis cut to size."""
    numbers = isinstance(array, np.ndarray) and array.dtype.kind in "fiu" and array.ndim == len(shape)
    if not numbers or array[..., : shape[-1]].shape != shape or not np.isfinite(array).all():
        found = getattr(array, "shape", type(array).__name__)
        raise InputError(f"{label}: expected finite numbers of shape {shape}, found {found}; get the file again")
    return array[..., : shape[-1]].astype(float)


def _read_regressor(path: Path) -> np.ndarray:
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; it is the joint regressor (17, 6890) that SPIN publishes") from None
    except (ValueError, EOFError, OSError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{path}: not a readable .npy file ({reason}); get it again") from error
    return _numbers(array, (len(SPIN_17), array.shape[-1] if array.ndim == 2 else 0), str(path))
