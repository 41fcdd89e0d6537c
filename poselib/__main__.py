"""`python -m poselib`: what dvc.yaml and people call. Bad input ends in one sentence and exit code 2."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from poselib.errors import InputError
from poselib.files import write_whole
from poselib.project import root

# torch then asks Linux for huge pages, with which large networks lift faster; other systems never read it.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

app = typer.Typer(
    help="Lift 2D human poses to 3D and replicate the tables of five papers.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
)
bench = typer.Typer(help="Measure what the package needs of this machine.", no_args_is_help=True)
app.add_typer(bench, name="bench")
Name = Annotated[str, typer.Argument(help="Name of an experiment in experiments/*.yaml.")]


@app.command()
def synthesise(role: Annotated[str, typer.Argument(help="A benchmark role of params.yaml.")] = "h36m") -> None:
    """Generate the embedded stand-in of a benchmark role into data/raw/synthetic."""
    from poselib.stages import synthesise as stage

    stage.run(root(), role)


@app.command()
def prepare(
    role: Annotated[str, typer.Argument(help="Benchmark role of params.yaml, for example h36m.")],
    check: Annotated[bool, typer.Option("--check", help="Only say what is missing or wrong; write nothing.")] = False,
) -> None:
    """Turn a role's recordings into a memory-mapped set under data/prepared."""
    from poselib.stages import prepare as stage

    stage.run(root(), role, check)


@app.command()
def train(
    name: Name,
    distributed: Annotated[bool, typer.Option("--distributed", help="One of the processes of torchrun.")] = False,
) -> None:
    """Train an experiment; a killed training continues where it was.

    On several GPUs: torchrun --nproc-per-node 2 -m poselib train NAME --distributed
    """
    from poselib.stages import train as stage

    stage.run(root(), name, distributed)


@app.command()
def evaluate(
    name: Name, on: Annotated[str | None, typer.Option(help="Another role, whose test videos to take.")] = None
) -> None:
    """Evaluate an experiment's weights on the test videos."""
    from poselib.stages import evaluate as stage

    stage.run(root(), name, on)


@app.command()
def dry_run(
    names: Annotated[list[str] | None, typer.Argument(help="Experiments; all of experiments/*.yaml if none.")] = None,
    profile: Annotated[str, typer.Option(help="Profile of params.yaml whose sizes to take.")] = "paper",
    clips: Annotated[
        int | None,
        typer.Option(min=1, help="Clips in the batch, at most the published number; the fewest if not given."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file to write the table to as well.")] = None,
    gpu: Annotated[str, typer.Option(help="Name of the GPU that hours are estimated for.")] = "NVIDIA A100",
    tflops: Annotated[float, typer.Option(min=0.1, help="Its FLOPs per second in float32, in 10^12.")] = 19.5,
    utilisation: Annotated[float, typer.Option(min=0.01, max=1, help="The part of them that is reached.")] = 0.4,
    gib: Annotated[float, typer.Option(help="Its memory, in GiB.")] = 80,
) -> None:
    """Take one real step of every experiment at its published size, here, and estimate its whole training.

    Each builds its network, starts from that of another experiment as it
    would (here with random weights), makes the updates of one batch of a few
    clips, and lifts one window of its test videos: through what trains and
    evaluates, on the sets that are prepared, whatever their source.

    Columns: batch_clips published and used_clips here; loss, peak_gib and
    seconds measured here; batch_gib, the memory of an update, and updates,
    both counted for the published batch and data set; GPU hours estimated.
    A second table adds up the hours by table of the papers.

    Nothing trained is kept. Exit code 1 if an experiment failed; the others
    still run.
    """
    from poselib.gpu_hours import Gpu
    from poselib.stages import dry_run as stage

    if not stage.run(root(), names or [], profile, clips, Gpu(gpu, tflops, utilisation, gib), out):
        raise typer.Exit(1)


@app.command()
def lift(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="File of 2D keypoints, or OpenPose's folder.")],
    checkpoint: Annotated[
        str | None,
        typer.Option(help="Trained experiment, .safetensors file or official:MODEL:FILE; else everyday, which ships."),
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="openpose, coco, mmpose, mediapipe, detectron, npz or csv; else recognised.")
    ] = None,
    joints: Annotated[
        str | None,
        typer.Option(help="Joint set, coco, body_25 and so on, of an array that does not say it."),
    ] = None,
    image_size: Annotated[str | None, typer.Option(metavar="WxH", help="In pixels, for example 1920x1080.")] = None,
    fps: Annotated[float | None, typer.Option(help="Frames per second, where the file does not say it.")] = None,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("lifted"),
    save: Annotated[list[str] | None, typer.Option(help="npz, csv, json, html, gif or mp4; npz if none.")] = None,
    focal: Annotated[
        float | None, typer.Option(help="Focal length in pixels; improves poses, estimates the path of the root.")
    ] = None,
    look_ahead: Annotated[
        int | None, typer.Option(help="Causal: how many later frames may tell about a frame; else all of a window.")
    ] = None,
    longest_gap: Annotated[float, typer.Option(min=0, help="Seconds of absence that are filled in.")] = 1.0,
) -> None:
    """Lift 2D keypoints to 3D, one sequence for each person.

    Poses are metres, root-relative, in the camera's frame: x right, y down,
    z away from the camera. Joints that were not seen are filled in from the
    frames around and marked. Pictures (html, gif, mp4) are a file for each
    person. A path of the root is an estimate: it is as wrong as the size of
    the lifted body.
    """
    from poselib.lifting import command

    options = {"checkpoint": checkpoint, "format": format, "joints": joints, "fps": fps, "focal": focal}
    command.run(source, image_size, out, save or ["npz"], **options, look_ahead=look_ahead, longest_gap=longest_gap)


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="A checkpoint, as 'lift --checkpoint' takes it.")],
    out: Annotated[Path, typer.Argument(help="File to write, .onnx or .safetensors.")],
) -> None:
    """Write a trained network as one file that needs no project: for other runtimes, or for 'lift' elsewhere."""
    from poselib.lifting import command

    command.export(name, out)


@app.command()
def table(
    name: Annotated[str, typer.Argument(help="Notebook under notebooks/, for example tmt/table07.")],
    setting: Annotated[list[str] | None, typer.Option("--set", help="Further parameter as key=value.")] = None,
) -> None:
    """Run a table's notebook and keep the executed copy with what it writes."""
    from poselib.stages import table as stage

    stage.run(root(), name, setting or [])


@app.command()
def report() -> None:
    """Collect the verdicts of all tables into the scoreboard, and all results into pages for a browser."""
    from poselib.stages import report as stage

    stage.run(root())


@app.command()
def compare(
    revision: Annotated[str, typer.Argument(help="A git revision, for example HEAD or main.")],
    results: Annotated[str | None, typer.Option(help="Folder of results; else the one of params.yaml.")] = None,
) -> None:
    """Print the cells that moved and the verdicts that flipped since a git revision."""
    from poselib.stages import compare as stage

    stage.run(root(), revision, results)


@app.command()
def settings() -> None:
    """Note what params.yaml and experiments/ come to for every experiment and table, so that stages see changes."""
    from poselib.stages import settings as stage

    stage.run(root())


@app.command()
def fingerprint() -> None:
    """Note what the package's code does, so that stages run again when it changes."""
    from poselib.stages import fingerprint as stage

    stage.run(root())


@app.command()
def pipeline() -> None:
    """Write dvc.yaml anew from experiments, notebooks and imports."""
    from poselib.pipeline import dvc_yaml

    text = dvc_yaml(root())
    write_whole(root() / "dvc.yaml", text)


@app.command()
def side_by_side(jobs: Annotated[int, typer.Option(help="Experiments at a time.")] = 1) -> None:
    """Train and evaluate everything stale, several experiments at a time, and record it in DVC."""
    from poselib.stages import side_by_side as stage

    stage.run(root(), jobs)


@app.command()
def select(
    profile: Annotated[str | None, typer.Option(help="Profile of params.yaml, from smoke to paper_bf16.")] = None,
    source: Annotated[str | None, typer.Option(help="Source of role h36m: synthetic, cmu or human36m.")] = None,
    path: Annotated[str | None, typer.Option(help="Folder of the source's files.")] = None,
    seeds: Annotated[int | None, typer.Option(help="Number of seeds per experiment.")] = None,
) -> None:
    """Choose what 'dvc repro' runs; edits params.yaml."""
    from poselib.stages import select as stage

    stage.run(root(), profile, source, path, seeds)


@app.command()
def doctor() -> None:
    """Say whether this machine is fit for the chosen profile, and what to do; exit code 1 if there is a problem."""
    from poselib.stages import doctor as stage

    if not stage.run(root()):
        raise typer.Exit(1)


@bench.command()
def memory(
    frames: Annotated[int, typer.Option(help="Frames of the set; 0.5 GB of disk a million.")] = 10_000_000,
) -> None:
    """Show what memory preparing, training and evaluating take of a large set; exit code 1 above 2 GiB."""
    from poselib.bench import memory as measurement

    if not measurement.report(frames, root() / "work"):
        raise typer.Exit(1)


@bench.command()
def speed(
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="ceiling, loader, metrics, train, inference, profiles, memory, accuracy, scaling; all if not given."
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Tiny networks, in seconds; ratios mean nothing.")] = False,
    out: Annotated[Path | None, typer.Option(help="CSV file to write the table to as well.")] = None,
) -> None:
    """Compare the fast path with plain code on this machine: ratios, memory, growth, distance to the ceiling."""
    from poselib.bench import speed as measurement

    measurement.report(only or [], quick, out)


@app.command()
def lifter(
    stage: Annotated[
        Literal["code", "prepare", "train", "measure", "card", "rehearse"], typer.Argument(help="A stage, or rehearse.")
    ],
) -> None:
    """Make and measure the checkpoint that ships with the package: the stages of lifter/dvc.yaml.

    'rehearse' runs all of them in a minute, on sizes too small to be of use,
    into work/rehearsal. A killed training continues where it was.
    """
    from importlib import import_module

    from poselib.stages.lifter.settings import load

    import_module(f"poselib.stages.lifter.{stage}").run(root(), load(root()))


def main() -> None:
    """Run the command line."""
    try:
        app()
    except InputError as error:
        print(f"poselib: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
