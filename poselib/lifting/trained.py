"""A trained network with all that lifting needs to know of it, and where one is found by name.

The file is one of `checkpoints.save` whose description holds `lifting`, the fields of `Description`: one safetensors
file that needs nothing else. `poselib/default/` may hold one, which is then taken if none is named.
"""

from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, Field

from poselib import checkpoints
from poselib.data.prepared import open_prepared
from poselib.errors import InputError
from poselib.experiments import load_experiment, load_experiments, load_parameters, weights_of
from poselib.interop import from_official
from poselib.layers.lifter import Lifter
from poselib.models.refinement import Refined
from poselib.project import root
from poselib.scaling import scaled
from poselib.skeleton import H36M_17, SKELETONS, Skeleton
from poselib.strategies import STRATEGIES
from poselib.yaml_file import checked

DEFAULT = Path(__file__).resolve().parent.parent / "default"
NAMING = "an experiment that is trained, a .safetensors file, or official:<model>:<file>"
# Tokens of the authors' models of 351 and 81 frames -> frames between tokens, and between those that are given 2D.
OFFICIAL_STRIDES = {71: (5, 5), 41: (2, 4)}


class Description(BaseModel):
    """What a network was trained for: `fps` frames per second, of which it sees every `frame_stride`-th.

    With `input_stride` only every so many frames have a 2D pose. With `assumed_focal` it sees people in the frame of
    `data.person_frame`; a focal length of so many widths of the image is taken where none is told. `trained_on` and
    `limits` are sentences for people.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
    joints: tuple[str, ...] = Field(strict=False)
    fps: float = Field(gt=0)
    trained_on: str
    limits: str
    strategy: str = "plain"
    frame_stride: int = Field(1, gt=0)
    input_stride: int | None = Field(None, gt=0)
    assumed_focal: float | None = Field(None, gt=0)


@dataclass(frozen=True)
class Trained:
    """A network in evaluation mode, what it is called in results, and what it was trained for."""

    name: str
    model: Lifter
    about: Description

    @property
    def skeleton(self) -> Skeleton:
        """The joints that go in and come out."""
        return next(one for one in SKELETONS.values() if one.names == self.about.joints)

    def told(self, focal: float | None, size: tuple[int, int]) -> "Trained":
        """The same network with this focal length in pixels in place of the assumed one, if it assumes any."""
        if focal is None or self.about.assumed_focal is None:
            return self
        return replace(self, about=self.about.model_copy(update={"assumed_focal": focal / size[0]}))

    def save(self, path: Path) -> None:
        """Write the file that `find` reads wherever it lies; it appears whole or not at all."""
        checkpoints.save(path, self.model, {"lifting": self.about.model_dump(mode="json")})


def find(checkpoint: str | Path | None = None) -> Trained:
    """The network of this name, on the GPU if there is one.

    Args:
        checkpoint: `NAMING`; None takes the one that ships with the package.

    Raises:
        InputError: none ships, no such file or experiment, a damaged one, or one that cannot lift keypoints alone.
    """
    name = str(checkpoint or "")
    if not name:
        shipped = sorted(DEFAULT.glob("*.safetensors"))
        if not shipped:
            raise InputError(f"no checkpoint is named and none ships with this version; name one: {NAMING}")
        found = _of_file(shipped[0])
    elif name.startswith("official:"):
        found = _official(name)
    elif name.endswith(".safetensors"):
        if not Path(name).is_file():
            raise InputError(f"{name}: no such file; check its name")
        found = _of_file(Path(name))
    else:
        found = _of_file(_by_name(name))
    _check(found)
    found.model.eval().to("cuda" if torch.cuda.is_available() else "cpu")
    return found


def _by_name(name: str) -> Path:
    """The file of a shipped network, else of an experiment in the project around the working directory."""
    if (shipped := DEFAULT / f"{name}.safetensors").is_file():
        return shipped
    try:
        project = root()
    except InputError:
        project = None
    experiments = load_experiments(project) if project else {}
    if name not in experiments:
        ships = [path.stem for path in sorted(DEFAULT.glob("*.safetensors"))]
        near = get_close_matches(name, [*ships, *experiments]) or ships
        raise InputError(f"no checkpoint {name!r}; name {' or '.join(near)}, or {NAMING}")
    return weights_of(project, name)


def _of_file(path: Path) -> Trained:
    model, description = checkpoints.load(path)
    if isinstance(model, Refined):
        raise InputError(f"{path}: its refinement needs the true distance of the person; name one that is not refined")
    if "lifting" in description:
        return Trained(path.stem, model, checked(Description, description["lifting"], f"{path}, lifting"))
    if not all(isinstance(description.get(key), str) for key in ("experiment", "profile", "data")):
        raise InputError(f"{path}: does not say what it was trained for; name one of: {NAMING}")
    return Trained(description["experiment"], model, _of_experiment(path, description))


def _of_experiment(path: Path, description: dict) -> Description:
    """What the project around a training says of it: <project>/checkpoints/<experiment>/<file>."""
    project, name = path.resolve().parent.parent.parent, description["experiment"]
    if not (project / "experiments").is_dir():
        remedy = "'python -m poselib export' there writes one that needs no project"
        raise InputError(f"{path}: lies outside of the project that trained it; {remedy}")
    setting = scaled(load_experiment(project, name), load_parameters(project, description["profile"]).chosen, name)
    prepared = open_prepared(project / "data/prepared" / setting.role)
    if prepared.fingerprint != description["data"]:
        raise InputError(f"{path}: trained on other data than {prepared.folder} holds; train it again")
    skeleton = SKELETONS[setting.joints or prepared.skeleton.name]
    return Description(
        joints=skeleton.names,
        fps=prepared.videos[0].fps,
        trained_on=f"experiment {name}, profile {description['profile']}, {setting.role} from {prepared.source}, "
        f"detector {setting.input_2d}",
        limits="judged on this source alone" if prepared.source != "synthetic" else "never saw a real person",
        strategy=setting.strategy,
        frame_stride=setting.frame_stride,
        input_stride=min(setting.input_strides, default=None),
    )


def _official(name: str) -> Trained:
    _, model, path = (*name.split(":", 2), "", "")[:3]
    network = from_official(model, path)
    upsamples = getattr(network.config, "upsampling_token", False)
    strides = OFFICIAL_STRIDES.get(network.config.frames) if upsamples else (1, None)
    if strides is None:
        raise InputError(f"{path}: {network.config.frames} tokens are of no published model; use the authors' file")
    about = Description(
        joints=H36M_17.names,
        fps=50.0,
        trained_on=f"the authors' weights {Path(path).name}",
        limits="see their paper",
        frame_stride=strides[0],
        input_stride=strides[1],
    )
    return Trained(f"official {Path(path).stem}", network, about)


def _check(found: Trained) -> None:
    about, config = found.about, found.model.config
    if about.joints not in [skeleton.names for skeleton in SKELETONS.values()] or config.joints != len(about.joints):
        raise InputError(f"{found.name}: its joints are no joint set of this version; train it again")
    if strange := [joint for joint in about.joints if joint not in H36M_17.index]:
        raise InputError(f"{found.name}: lifts {strange[0]}, which no detector gives; name another: {NAMING}")
    if about.strategy not in STRATEGIES or STRATEGIES[about.strategy].in_channels != config.in_channels:
        raise InputError(f"{found.name}: strategy {about.strategy!r} does not fit its network; train it again")
    upsamples = getattr(config, "upsampling_token", False)
    if about.input_stride is not None and (not upsamples or about.input_stride % about.frame_stride):
        raise InputError(f"{found.name}: input_stride {about.input_stride} does not fit its network; train it again")
