"""Stage train: the network that ships, with all that lifting needs to know of it in its one file."""

import hashlib
import json
import shutil
from pathlib import Path

import torch

from poselib.closure import closure, fingerprint
from poselib.data.prepared import PreparedSet, open_prepared
from poselib.distinct_start import set_joints_apart
from poselib.files import held
from poselib.inference import lift_clips
from poselib.layers.lifter import Lifter
from poselib.lifting.trained import Description, Trained
from poselib.metrics import MILLIMETRES, mpjpe
from poselib.models import build
from poselib.progress import Progress
from poselib.recipe import OPTIMISERS, Recipe
from poselib.skeleton import H36M_17
from poselib.stages.lifter.settings import LOG, PREPARED, PROJECT, Settings, write_table
from poselib.stages.lifter.strangers import StrangersClips
from poselib.strategies import PLAIN, Clip
from poselib.training import finish

# Of the held-out clips at a time.
CLIPS_AT_A_TIME = 64


def run(root: Path, settings: Settings) -> None:
    """Train, and write the checkpoint and its log; a killed run continues where it was.

    Raises:
        InputError: no prepared set, a training that diverged, or another run that trains.
    """
    prepared, training = open_prepared(root / PREPARED), settings.training
    torch.set_num_threads(training.threads)
    work = root / "work/lifter"
    with held(work):
        progress = train(settings, prepared, work / f"{_key(settings, prepared)}.snapshot")
        best = progress.best["held_out"]
        progress.model.load_state_dict(best["weights"])
        place = root / settings.checkpoint
        place.parent.mkdir(parents=True, exist_ok=True)
        Trained(settings.name, progress.model, _about(settings, prepared)).save(place)
        write_table(root / LOG, progress.log)
        shutil.rmtree(work)
    print(f"{place}: {best['mpjpe_mm']:.1f} mm on held-out clips after epoch {best['epoch']}")


def train(settings: Settings, prepared: PreparedSet, snapshot: Path) -> Progress:
    """The finished training, or the rest of it from the file `snapshot`, which is kept on the way."""
    training, network = settings.training, settings.network
    recipe = Recipe(
        detector="simulated",
        terms=dict(training.losses),
        joint_weights=(1.0,) * len(H36M_17),
        epochs=training.epochs,
        batch_clips=training.batch_clips,
        lr=training.lr,
        schedule="linear_tail",
        lr_decay=1.0,
        weight_decay=training.weight_decay,
    )
    torch.manual_seed(training.seed)
    model = build("mixste", joints=len(H36M_17), in_channels=2, drop_path=0.0, **network.model_dump())
    set_joints_apart(model)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    progress = Progress(model.train(), OPTIMISERS[recipe.optimiser](model.parameters(), recipe), None)
    sizes = (network.frames, training.batch_clips, training.batches, training.seed)
    batches = StrangersClips(prepared, "train", settings.film, *sizes)
    seen = StrangersClips(prepared, "validation", settings.film, network.frames, training.held_out_clips, 1, 0)
    held_out = seen.gather(seen.clips_of(0))

    def errors() -> dict[str, float]:
        return {"held_out": _error_mm(model, held_out)}

    return finish(progress, PLAIN, recipe, batches, errors, snapshot=snapshot, name=settings.name)


@torch.inference_mode()
def _error_mm(model: Lifter, held_out: Clip) -> float:
    """MPJPE in the person's frame, which is that in the camera's: turning both changes no distance."""
    model.eval()
    given = held_out.poses_2d.to(next(model.parameters()).device).split(CLIPS_AT_A_TIME)
    lifted = torch.cat([lift_clips(model, PLAIN, clips, H36M_17.flip)[0] for clips in given])
    model.train()
    return MILLIMETRES * float(mpjpe(lifted.cpu(), held_out.truth_3d))


def _about(settings: Settings, prepared: PreparedSet) -> Description:
    subjects = len({video.subject for video in prepared.split("train")})
    minutes = sum(video.frames for video in prepared.split("train")) / settings.fps / 60
    return Description(
        joints=H36M_17.names,
        fps=settings.fps,
        assumed_focal=settings.assumed_focal,
        trained_on=f"{minutes:.0f} minutes of motion capture of {subjects} CMU subjects, seen by virtual cameras and a "
        f"simulated detector. {prepared.credits[0]}",
        limits="never saw a real image, furniture or a child; CARD.md beside it says how far to trust it",
    )


def _key(settings: Settings, prepared: PreparedSet) -> str:
    """Names the snapshot: changed settings, data or code must not continue an old training."""
    code = fingerprint(PROJECT, sorted(closure(PROJECT, Path(__file__), PROJECT / "poselib/models/mixste.py")))
    parts = [settings.model_dump(mode="json", exclude={"measuring"}), prepared.fingerprint, code, torch.__version__]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
