"""Stage train: one experiment, all its seeds."""

import csv
import hashlib
import json
import shutil
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import torch

from poselib import checkpoints
from poselib.closure import closure, fingerprint
from poselib.data.prepared import PreparedSet
from poselib.distinct_start import set_joints_apart
from poselib.distributed import processes
from poselib.experiments import Experiment, Parameters, Profile, load_experiment, load_parameters
from poselib.files import held, whole_folder
from poselib.half_precision import check_device, in_bfloat16
from poselib.layers.lifter import Lifter
from poselib.models import WITH_TREE, build
from poselib.models.refinement import Refined
from poselib.protocols import MIXSTE_WEIGHTS
from poselib.recipe import Recipe
from poselib.scaling import scaled
from poselib.skeleton import Skeleton
from poselib.stages.sets import opened
from poselib.stages.settings import check_trained, of_training
from poselib.strategies import STRATEGIES
from poselib.training import Progress, train


def run(root: Path, name: str, together: bool = False) -> None:
    """Train every seed of an experiment into checkpoints/<name>; a killed run continues where it was.

    Args:
        together: with the other processes that torchrun started; see `poselib.distributed`.

    Raises:
        InputError: unknown experiment, a prepared set that is missing or does not have what it needs, weights to
            start from that are missing, of other data or settings than hold now, or do not fit, another run that
            trains the experiment, or bf16 on a CPU without.
    """
    group = processes(together)
    parameters, experiment = load_parameters(root), load_experiment(root, name)
    profile = parameters.chosen
    if profile.threads:
        torch.set_num_threads(profile.threads)
    prepared = opened(root, experiment)
    setting = scaled(experiment, profile, name)
    recipe = recipe_of(setting, profile, prepared.skeleton.names)
    folder, weights = root / "checkpoints", "seed{}.safetensors"
    starts = {seed: folder / setting.start / weights.format(seed) for seed in parameters.seeds if setting.start}
    begun = [path.read_bytes() for path in starts.values() if path.is_file()]
    told = of_training(parameters, experiment, name)
    work = root / "work" / name / _key(root, recipe, told, prepared.fingerprint, begun)
    finished = {}
    with held(root / "work" / name) if group.writes else nullcontext():
        for seed in parameters.seeds:
            torch.manual_seed(seed)
            model, origin = network(root, setting, parameters, prepared, starts.get(seed))
            finished[seed] = train(
                group.prepare(model),
                STRATEGIES[setting.strategy],
                recipe,
                prepared,
                seed=seed,
                snapshot=work / f"seed{seed}.snapshot",
                name=f"{name} seed {seed}",
                group=group,
            )
        if group.writes:
            about = {"experiment": name, "profile": parameters.profile, "data": prepared.fingerprint}
            about |= {"setting": told, **origin}
            _store(folder / name, finished, about)
            shutil.rmtree(root / "work" / name)
    group.end()


def network(
    root: Path, setting: Experiment, parameters: Parameters, prepared: PreparedSet, start: Path | None
) -> tuple[Lifter, dict[str, dict]]:
    """The experiment's network where it trains, with the weights of file `start`, and what is to be noted of those."""
    model, origin = build_model(setting, prepared.skeleton), {}
    if start is not None:
        origin = _start(root, setting.start, start, parameters, model, prepared.skeleton)
    elif parameters.chosen.distinct_start:
        set_joints_apart(model)
    model = Refined(model) if setting.refine else model
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if parameters.chosen.precision == "bfloat16":
        check_device(device)
        in_bfloat16(model)
    return model.to(device), origin


def build_model(setting: Experiment, skeleton: Skeleton) -> Lifter:
    """The experiment's network for these joints, with as many input channels as its strategy needs."""
    sizes = {key: getattr(setting, key) for key in ("frames", "depth", "dim", "heads", "drop_path")}
    given = {key: value for key, value in sizes.items() if value is not None}
    channels = STRATEGIES[setting.strategy].in_channels
    tree = {"skeleton": skeleton.name} if setting.model in WITH_TREE else {}
    further = {**given, **tree, **setting.options}
    return build(setting.model, joints=len(skeleton), in_channels=channels, **further)


def _start(
    root: Path, name: str, path: Path, parameters: Parameters, model: Lifter, skeleton: Skeleton
) -> dict[str, dict]:
    """Give a fresh model the weights of experiment `name` in `path`; returns what is to be noted of them."""
    experiment = load_experiment(root, name)
    prepared = opened(root, experiment)
    trained, about = checkpoints.load(path, "data", "setting")
    check_trained(path, about, prepared.fingerprint, of_training(parameters, experiment, name))
    checkpoints.transfer(trained, model, prepared.skeleton, skeleton)
    return {"start": {"experiment": name, "source": prepared.source, "data": prepared.fingerprint}}


def recipe_of(setting: Experiment, profile: Profile, joints: tuple[str, ...]) -> Recipe:
    """The training recipe of a scaled experiment."""
    same = ("epochs", "lr", "schedule", "lr_decay", "weight_decay", "batches", "optimiser", "betas")
    same += ("frame_stride", "interval", "equal_updates", "average", "jitter", "camera_pool")
    return Recipe(
        detector=setting.input_2d,
        terms=dict(setting.losses),
        outputs=dict(setting.outputs),
        input_strides=tuple(setting.input_strides),
        joint_weights=tuple(MIXSTE_WEIGHTS[joint] for joint in joints),
        batch_clips=setting.batch_clips or max(1, setting.batch_frames // setting.frames),
        selection_clips=profile.selection_clips,
        **{key: getattr(setting, key) for key in same},
    )


def _key(root: Path, recipe: Recipe, told: dict, data: str, begun: list[bytes]) -> str:
    """Names the snapshots: changed experiments, profiles, data or code must not continue an old training."""
    files = closure(root, Path(__file__), root / f"poselib/models/{told['model']}.py")
    sources = fingerprint(root, sorted(files))
    identity = [asdict(recipe), told, data, sources, torch.__version__]
    identity += [hashlib.sha256(weights).hexdigest() for weights in begun]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def _store(folder: Path, finished: dict[int, Progress], metadata: dict[str, str]) -> None:
    with whole_folder(folder) as partial:
        for seed, progress in finished.items():
            for split, best in progress.best.items():
                progress.model.load_state_dict(best["weights"])
                suffix = "" if split == "validation" else ".test_selected"
                chosen = {"seed": seed, "updates": progress.updates, "selected_on": split, "epoch": best["epoch"]}
                chosen["mpjpe_mm"] = best["mpjpe_mm"]
                checkpoints.save(partial / f"seed{seed}{suffix}.safetensors", progress.model, {**metadata, **chosen})
            with (partial / f"seed{seed}.log.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, [*progress.log[0], "seconds"])
                writer.writeheader()
                rows = zip(progress.log, progress.ended, strict=True)
                writer.writerows(row | {"seconds": round(ended, 2)} for row, ended in rows)
