"""Stage measure: what `lift` makes of the held-out subjects with the checkpoint that ships, by input of many kinds."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from poselib.data.camera_table import TEST_RIGS, cameras
from poselib.data.cmu import cmu_motions
from poselib.data.detections import simulate_detections
from poselib.data.filming import film as film_by
from poselib.data.mocap_clean import resample
from poselib.data.prepared import open_prepared
from poselib.data.sequences import Motion
from poselib.data.virtual_cameras import draw, film
from poselib.geometry import centre_on_root, denormalise_screen
from poselib.lifting import Trained, find, lift
from poselib.metrics import MILLIMETRES, mpjpe, n_mpjpe, p_mpjpe
from poselib.motion_quality import acceleration_error
from poselib.stages.lifter.prepare import checked_split
from poselib.stages.lifter.settings import CURVES, PREPARED, SPEED, Settings, write_table
from poselib.stages.lifter.strangers import coarse, detector, missed

SIZE = (1000, 1000)
# Frames per second at which pieces are cut, and of the usual input.
RECORDED_FPS, USUAL_FPS = 60.0, 50.0
USUAL = {"height": 1.5, "distance": 4.0}
SPEED_FRAMES = 10_000
MEASURES = (mpjpe, p_mpjpe, n_mpjpe)


@dataclass(frozen=True)
class Kind:
    """One kind of input: a value of a curve, everything else being usual. `camera` overrules what cameras draw."""

    curve: str
    value: str
    camera: dict[str, float]
    noise: float = 1.0
    missing: float = 0.0
    fps: float = USUAL_FPS
    coarse: bool = False
    focal: float | None = None
    rig: bool = False
    beyond: bool = False


def run(root: Path, settings: Settings) -> None:
    """Write lifter/curves.csv, one row for each kind of input, and lifter/speed.timing.csv.

    Raises:
        InputError: no checkpoint yet, or the clips are not there.
    """
    torch.set_num_threads(settings.training.threads)
    trained = find(root / settings.checkpoint)
    kinds = tqdm(list(_kinds(settings)), desc="kinds of input", unit="kind")
    pieces, mean = list(_pieces(root, settings))[:: settings.measuring.every], _mean_pose(root, settings)
    rows = [_row(kind, trained, pieces, settings, mean) for kind in kinds]
    write_table(root / CURVES, rows)
    write_table(root / SPEED, [_speed(trained, settings.training.threads)])


def _kinds(settings: Settings) -> Iterator[Kind]:
    """The rows of the table: one of usual input, and every value of every curve."""
    values, trained = settings.measuring, settings.film
    yield Kind("usual", "", USUAL)
    yield Kind("any camera", "as in training", {})
    yield Kind("any camera", "Human3.6M, S9 and S11", {}, rig=True)
    yield Kind("joints", "as recorded", USUAL)
    yield Kind("joints", "as from COCO", USUAL, coarse=True)
    for told, factor in (("not told", None), ("told", 1.0), ("told a quarter too long", 1.25)):
        yield Kind("focal length", told, USUAL, focal=factor)
    yield from (Kind("noise", f"{one:g}", USUAL, noise=one, beyond=one > trained.noise[1]) for one in values.noise)
    for one in values.missing:
        yield Kind("missing", f"{one:g}", USUAL, missing=one, beyond=one > trained.missing[1])
    yield from (Kind("fps", f"{one:g}", USUAL, fps=one) for one in values.fps)
    for curve, given in (("height", values.height), ("distance", values.distance)):
        low, high = trained.cameras[curve]
        for one in given:
            told = 1.0 if curve == "distance" else None
            yield Kind(curve, f"{one:g}", {**USUAL, curve: one}, focal=told, beyond=not low <= one <= high)


def _pieces(root: Path, settings: Settings) -> Iterator[Motion]:
    """The held-out subjects' motions in pieces of equal length, what is left at the end of a motion left out."""
    folder = root / settings.path
    splits, frames = checked_split(folder), round(settings.measuring.seconds * RECORDED_FPS) + 1
    for motion in cmu_motions(folder, fps=RECORDED_FPS):
        if splits[motion.subject] == "test":
            for start in range(0, len(motion.positions) - frames + 1, frames):
                yield replace(motion, positions=motion.positions[start : start + frames])


def _row(kind: Kind, trained: Trained, pieces: list[Motion], settings: Settings, mean: np.ndarray) -> dict:
    """One row of the table: errors in mm over all frames of all pieces."""
    found = [_errors(kind, trained, piece, number, settings, mean) for number, piece in enumerate(pieces)]
    weights = np.array([errors.pop("frames") for errors in found])
    means = {key: float(np.average([errors[key] for errors in found], weights=weights)) for key in found[0]}
    about = {"curve": kind.curve, "value": kind.value, "beyond_training": int(kind.beyond)}
    about |= {"pieces": len(pieces), "frames": int(weights.sum())}
    return about | {key: round(value, 2) for key, value in means.items()}


def _errors(
    kind: Kind, trained: Trained, piece: Motion, number: int, settings: Settings, mean: np.ndarray
) -> dict[str, float]:
    """Errors of one piece; cameras and detector are drawn by its number alone, so that kinds differ in nothing else."""
    random = np.random.default_rng([number, 1])
    motion = replace(piece, fps=kind.fps, positions=resample(piece.positions, RECORDED_FPS, kind.fps))
    exact, poses, focal = _filmed(motion, kind, number, random, settings)
    seen = simulate_detections(exact, seed=number, noise=detector(kind.noise, kind.fps), width=SIZE[0])
    given = coarse(seen) if kind.coarse else seen
    confidence = ~missed(random, len(seen), kind.missing, kind.fps) if kind.missing else np.ones(seen.shape[:2])
    given = np.concatenate([given, confidence[..., None]], axis=-1)
    told = None if kind.focal is None else kind.focal * focal
    lifted = lift(given, "h36m", SIZE, kind.fps, checkpoint=trained, focal=told).person
    truth = centre_on_root(poses)[lifted.frames]
    found, path = lifted.poses_3d.astype(float), lifted.root_path_estimate
    root = poses[lifted.frames, 0]
    off = np.nan * root[:, 0] if path is None else np.linalg.norm(path - root, axis=-1)
    errors = {
        "noise_px": np.linalg.norm(seen - exact, axis=-1).mean(),
        **{f"{measure.__name__}_mm": MILLIMETRES * measure(found, truth) for measure in MEASURES},
        "mean_pose_mm": MILLIMETRES * mpjpe(mean, truth),
        "acceleration_m_per_s2": acceleration_error(found, truth) * kind.fps**2,
        "root_path_mm": MILLIMETRES * off.mean(),
        "root_path_percent": 100 * (off / np.linalg.norm(root, axis=-1)).mean(),
    }
    return {**errors, "frames": len(truth)}


def _filmed(
    motion: Motion, kind: Kind, number: int, random: np.random.Generator, settings: Settings
) -> tuple[np.ndarray, np.ndarray, float]:
    """Exact pixels (F, 17, 2) of an image of `SIZE`, camera-frame positions (F, 17, 3), focal length in pixels."""
    if kind.rig:
        rig = [camera for subject in TEST_RIGS for camera in cameras()[subject]]
        camera = rig[number % len(rig)]
        sequence = film_by(motion, camera)
        scale = SIZE[0] / camera.size[0]
        return scale * sequence.poses_2d["gt"], sequence.poses_3d.astype(float), scale * camera.focal[0]
    views = draw(random, 1, settings.film.cameras).but(**kind.camera)
    screen, poses = film(motion.positions[None].astype(float), views)
    return denormalise_screen(screen[0], SIZE), poses[0], SIZE[0] * float(views.focal[0])


def _mean_pose(root: Path, settings: Settings) -> np.ndarray:
    """The best pose (17, 3) without looking: the mean of the training subjects' by random cameras."""
    prepared, random = open_prepared(root / PREPARED), np.random.default_rng(0)
    videos = prepared.split("train")
    world = prepared.poses_world[np.concatenate([np.arange(v.start, v.start + v.frames) for v in videos])]
    poses = film(world[:, None].astype(float), draw(random, len(world), settings.film.cameras))[1]
    return centre_on_root(poses[:, 0]).mean(axis=0)


def _speed(trained: Trained, threads: int) -> dict:
    """How long lifting of 10 000 frames takes here, whatever they show."""
    points = np.random.default_rng(0).uniform(300, 700, (SPEED_FRAMES, len(trained.skeleton), 2))
    started = time.perf_counter()
    lift(points, "h36m", SIZE, USUAL_FPS, checkpoint=trained)
    seconds = time.perf_counter() - started
    times = SPEED_FRAMES / USUAL_FPS / seconds
    row = {"frames": SPEED_FRAMES, "fps": f"{USUAL_FPS:g}", "threads": threads}
    return row | {"seconds": f"{seconds:.1f}", "times_real_time": f"{times:.1f}"}
