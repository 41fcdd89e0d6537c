"""Every model learns eight clips of real motion by heart, or of synthetic motion where no recording is at hand."""

from itertools import islice

import pytest
import torch

from poselib.data.detections import simulate_detections
from poselib.data.filming import film
from poselib.data.h36m import cameras
from poselib.data.sources import load
from poselib.data.synthetic import synthetic_motions
from poselib.geometry import normalise_screen
from poselib.models import MODELS, build

FRAMES, EVERY = 9, 5
# Small sizes without dropout, with the highest rate and the number of updates that each needs.
SETTINGS = {
    "mixste": (1e-2, 500, {"dim": 64, "depth": 2, "heads": 4, "drop_path": 0.0}),
    "poseformer": (3e-3, 400, {"dim": 16, "depth": 2, "heads": 2, "drop_path": 0.0}),
    "mhformer": (
        5e-3,
        800,
        {
            "dim": 64,
            "hidden": 96,
            "depth": 2,
            "heads": 2,
            "generation_depth": 2,
            "dropout": 0.0,
            "embedding_dropout": 0.0,
            "drop_path": 0.0,
        },
    ),
    "strided_transformer": (
        3e-3,
        500,
        {"strides": (3, 3), "dim": 64, "hidden": 128, "depth": 2, "heads": 4, "dropout": 0.0, "embedding_dropout": 0.0},
    ),
    "uplift_upsample": (
        3e-3,
        400,
        {
            "spatial_dim": 16,
            "dim": 64,
            "depth": 2,
            "heads": 4,
            "strides": (3, 3),
            "paddings": ((1, 1), (0, 0)),
            "drop_path": 0.0,
        },
    ),
    "ampose": (3e-3, 400, {"dim": 64, "depth": 2, "heads": 4, "drop_path": 0.0}),
    "gla_gcn": (3e-3, 500, {"dim": 48, "dropout": 0.0}),
}


@pytest.fixture(scope="module")
def clips(request):
    """Input (8, T, 17, 2), screen, and target (8, T, 17, 3), metres, root-relative, of eight videos."""
    try:
        folder = request.getfixturevalue("mocap_folder")
        videos = list(islice(load("h36m", source="cmu", path=folder), 0, 64, 8))
    except pytest.skip.Exception:
        motions = islice(synthetic_motions(seconds=2.0, seed=0), 0, 64, 8)
        views = [camera for subject in cameras().values() for camera in subject][:8]
        videos = [
            film(motion, view, lambda pixels, seed: simulate_detections(pixels, seed=seed), 0)
            for motion, view in zip(motions, views, strict=True)
        ]
    span = slice(60, 60 + FRAMES * EVERY, EVERY) if min(len(v.poses_3d) for v in videos) > 110 else slice(0, 45, EVERY)
    inputs = torch.stack(
        [torch.tensor(normalise_screen(video.poses_2d["gt"][span], video.camera.size)).float() for video in videos]
    )
    poses = torch.stack([torch.tensor(video.poses_3d[span]).float() for video in videos])
    return inputs, poses - poses[:, :, :1]


def error(predicted, target):
    middle = FRAMES // 2
    return (predicted - (target if predicted.shape[1] > 1 else target[:, middle : middle + 1])).norm(dim=-1).mean()


@pytest.mark.parametrize("name", MODELS)
def test_eight_clips_are_learnt_to_15_mm(name, clips):
    torch.manual_seed(0)
    rate, updates, sizes = SETTINGS[name]
    model = build(name, frames=1 if name == "ampose" else FRAMES, **sizes)
    inputs, target = clips
    if name == "ampose":
        inputs = inputs[:, FRAMES // 2 : FRAMES // 2 + 1]
    mean = 1000 * error(target.mean(dim=(0, 1), keepdim=True).expand_as(target), target)
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=updates)
    for _ in range(updates):
        loss = sum(error(output, target) for output in model.supervised(inputs).values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    # A batch norm over eight numbers keeps a variance for later that is 8/7 of theirs, which alone makes the Strided
    # Transformer's poses 7 % too small: models with one are judged as in training.
    model.train(any(isinstance(layer, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d) for layer in model.modules()))
    with torch.inference_mode():
        found = 1000 * error(model(inputs), target)
    assert mean > 100 and found < 15, f"{found:.1f} mm, the mean pose has {mean:.1f} mm"
