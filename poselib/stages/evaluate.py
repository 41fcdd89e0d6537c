"""Stage evaluate: the trained weights of an experiment on the test videos, by the field's protocols."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from poselib import checkpoints
from poselib.commit import code_commit
from poselib.data.prepared import PreparedSet
from poselib.data.windows import Windows, stitch
from poselib.errors import InputError
from poselib.evaluation import (
    action_means,
    at_input_stride,
    details,
    frames_of,
    joint_speeds,
    mean_pose,
    mixste_policy,
    summarise,
)
from poselib.experiments import Experiment, Parameters, load_experiment, load_parameters
from poselib.files import whole_file, write_whole
from poselib.inference import lift_set, targets_of, windows_of
from poselib.layers.lifter import Lifter
from poselib.metrics import MILLIMETRES, joint_errors
from poselib.scaling import scaled
from poselib.stages.sets import opened
from poselib.stages.settings import check_trained, of_training
from poselib.strategies import STRATEGIES


def run(root: Path, name: str, role: str | None = None) -> None:
    """Write <results>/metrics/<name>.json and predictions/<name>.npz; <name>_on_<role> for a role that did not train.

    Raises:
        InputError: a checkpoint or a prepared set that is missing or damaged, or a checkpoint of other data or settings
            than hold now.
    """
    parameters, experiment = load_parameters(root), load_experiment(root, name)
    if parameters.chosen.threads:
        torch.set_num_threads(parameters.chosen.threads)
    trained = opened(root, experiment)
    prepared = opened(root, experiment, role) if role else trained
    setting = scaled(experiment, parameters.chosen, name)
    told = of_training(parameters, experiment, name)
    videos = prepared.split("test")
    seeds, first = [], None
    for seed in parameters.seeds:
        folder = root / "checkpoints" / name
        record, predicted = _evaluate_seed(folder, seed, setting, prepared, (trained.fingerprint, told))
        seeds.append(record)
        first = predicted if first is None else first
    frames = frames_of(videos)
    constant = np.broadcast_to(mean_pose(trained), (len(frames), len(prepared.skeleton), 3))
    record = {
        "experiment": name,
        "commit": code_commit(root),
        "profile": parameters.profile,
        "role": prepared.role,
        "source": prepared.source,
        "credits": list(prepared.credits),
        "data": prepared.fingerprint,
        "detector": setting.input_2d,
        "setting": setting.model_dump(mode="json"),
        **({"told_in_the_test": "the true depth of the root in every frame"} if setting.refine else {}),
        "test_frames": int(prepared.valid[frames].sum()),
        "test_subjects": sorted({video.subject for video in videos}),
        "mean_pose": action_means(constant, prepared, videos),
        "joint_speed": joint_speeds(prepared, videos),
        "seeds": seeds,
    }
    if role:
        name, record["trained_on"] = f"{name}_on_{role}", {"role": trained.role, "source": trained.source}
    else:
        _store_logs(root, parameters, name)
    write_whole(root / parameters.results / "metrics" / f"{name}.json", json.dumps(_rounded(record), indent=1) + "\n")
    _store_predictions(root / "predictions" / f"{name}.npz", first, prepared, frames)


def _evaluate_seed(
    folder: Path, seed: int, setting: Experiment, prepared: PreparedSet, trained: tuple[str, dict]
) -> tuple[dict, np.ndarray]:
    videos = prepared.split("test")
    path, other = (folder / f"seed{seed}{suffix}.safetensors" for suffix in ("", ".test_selected"))
    keys = ("data", "setting", "updates", "epoch")
    model, chosen = checkpoints.load(path, *keys)
    check_trained(path, chosen, *trained)
    if model.config.joints != len(prepared.skeleton):
        count = f"{model.config.joints} joints, the set has {len(prepared.skeleton)}"
        raise InputError(f"{path}: the model lifts {count}; train it again")
    windows = windows_of(videos, model, setting.frame_stride)
    averaged, plain = lift(model, setting, prepared, windows)
    predicted = stitch(averaged, windows)
    summary = summarise(predicted, prepared, videos)
    rival, rivals = checkpoints.load(other, *keys)
    field_habit = summary["action_mean"]
    if rivals["epoch"] != chosen["epoch"]:
        field_habit = action_means(stitch(lift(rival, setting, prepared, windows)[0], windows), prepared, videos)
    record = {
        "seed": seed,
        "weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "updates": chosen["updates"],
        **({"start": chosen["start"]} if "start" in chosen else {}),
        "selected_epoch": chosen["epoch"],
        **summary,
        **details(predicted, prepared, videos),
        "without_flip_averaging": action_means(stitch(plain, windows), prepared, videos),
        "selected_on_test": field_habit,
    }
    if not model.many_to_one and prepared.valid.all():
        record["counted_as_mixste"] = mixste_policy(averaged, windows, prepared, videos)
    sparse = setting.input_strides or [stride for stride in (setting.frame_stride,) if stride > 1]
    for stride in sparse:
        lifted = averaged if stride == min(sparse) else lift(model, setting, prepared, windows, stride)[0]
        summary = at_input_stride(lifted, windows, prepared, videos, stride)
        record.setdefault("by_input_stride", {})[str(stride)] = summary
    return record, predicted


def lift(
    model: Lifter, setting: Experiment, prepared: PreparedSet, windows: Windows, input_stride: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Flip-averaged and plain predictions of all windows, each (n, T', J, 3)."""
    model = model.to("cuda" if torch.cuda.is_available() else "cpu")
    stride = input_stride or min(setting.input_strides, default=None)
    return lift_set(model, STRATEGIES[setting.strategy], prepared, setting.input_2d, windows, stride)


def _store_logs(root: Path, parameters: Parameters, name: str) -> None:
    """<results>/logs/<name>.csv, what training measured after every epoch, and .timing.csv, when it was done."""
    folder = root / "checkpoints" / name
    parts = {}
    for seed in parameters.seeds:
        path = folder / f"seed{seed}.log.csv"
        try:
            parts[seed] = pd.read_csv(path).astype({"epoch": int, "seconds": float})
        except (OSError, KeyError, ValueError) as error:
            raise InputError(f"{path}: not readable ({error}); delete its folder and train again") from error
    log = pd.concat(parts, names=["seed"]).reset_index(0)
    tables = {"csv": log.drop(columns="seconds"), "timing.csv": log[["seed", "epoch", "seconds"]]}
    for kind, table in tables.items():
        text = table.to_csv(index=False, lineterminator="\n")
        write_whole(root / parameters.results / f"logs/{name}.{kind}", text)


def _store_predictions(path: Path, predicted: np.ndarray, prepared: PreparedSet, frames: np.ndarray) -> None:
    errors_mm = MILLIMETRES * joint_errors(predicted, targets_of(prepared, frames))
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez(file, poses_3d=predicted, joint_errors_mm=errors_mm.astype(np.float32), frames=frames)


def _rounded(value):
    """Micrometres are enough, and short files read better."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value
