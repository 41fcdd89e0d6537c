"""What a trained model attends to: one map of one head, beside the skeleton it is about."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from poselib.data.prepared import PreparedSet, Video, open_prepared
from poselib.errors import InputError
from poselib.experiments import load_experiments, load_parameters, weights_of
from poselib.figures import live
from poselib.figures.player import Body, lines, scene, upright
from poselib.figures.style import VERMILLION
from poselib.scaling import scaled

# Whose maps are over single joints or single frames; MHFormer attends over coordinates, GLA-GCN has graphs.
WITH_MAPS = ("mixste", "poseformer", "uplift_upsample", "strided_transformer", "ampose")
KINDS = {"joints": "spatial", "frames": "temporal"}
MEAN = 0
"""Number of the head that stands for the mean over heads."""


def available(root: Path) -> list[str]:
    """Experiments on Human3.6M's role, in its 17 joints, with attention and with weights in checkpoints/.

    Raises:
        InputError: none, with what to run.
    """
    runs = load_experiments(root).items()
    known = [name for name, run in runs if run.model in WITH_MAPS and run.role == "h36m" and not run.joints]
    found = [name for name in known if any((root / "checkpoints" / name).glob("seed*.safetensors"))]
    if not found:
        raise InputError("no trained network in checkpoints/ yet; run 'make repro' once, then this again")
    return found


@lru_cache(maxsize=8)
def attend(root: Path, name: str, video: Video) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The maps of the model over the middle clip of a video, and the clip's frame numbers in the set, (T,)."""
    # Torch is loaded for this and nothing else of the figures.
    from poselib import checkpoints
    from poselib.inference import attention_maps
    from poselib.strategies import STRATEGIES

    prepared = _prepared(root)
    setting = scaled(load_experiments(root)[name], load_parameters(root).chosen, name)
    model, _ = checkpoints.load(weights_of(root, name))
    length = model.config.frames
    steps = setting.frame_stride * (np.arange(length) - length // 2)
    frames = np.clip(video.start + video.frames // 2 + steps, video.start, video.start + video.frames - 1)
    clip = np.array(prepared.poses_2d(setting.input_2d)[frames])
    return attention_maps(model, STRATEGIES[setting.strategy], clip), frames


@lru_cache(maxsize=1)
def _prepared(root: Path) -> PreparedSet:
    return open_prepared(root / "data/prepared/h36m")


def pick(maps: dict[str, np.ndarray], kind: str, block: int, head: int, frame: int, joint: int) -> np.ndarray:
    """One map (n, n), rows are queries: of a block and head from 1 on, head 0 being their mean.

    Args:
        maps: 'spatial' (L, T, H, J, J); 'temporal' (L, J, H, T, T), or (L, H, T, T) where joints are mixed.
        kind: 'joints' or 'frames'.

    Raises:
        InputError: the model has no attention over these, or over mixtures of them (Linformer).
    """
    found = maps.get(KINDS[kind])
    if found is None:
        raise InputError(f"this model has no attention over {kind}; choose the other kind")
    found = found[min(block, len(found)) - 1]
    if found.ndim == 4:
        found = found[min(frame if kind == "joints" else joint, len(found) - 1)]
    if found.shape[-1] != found.shape[-2]:
        raise InputError(f"this model attends to mixtures of {kind}, which no picture shows; choose the other kind")
    return found.mean(axis=0) if head == MEAN else found[min(head, len(found)) - 1]


def draw(
    maps: dict[str, np.ndarray],
    poses: np.ndarray,
    prepared: PreparedSet,
    title: str,
    *,
    kind: str,
    block: int,
    head: int,
    frame: int,
    joint: str,
    azimuth: float = -75,
) -> go.Figure:
    """The map, its query's row framed, and the pose: joints coloured by what the query joint attends to.

    Over frames, the pose of the query frame with that of the frame it attends to most, grey.

    Args:
        maps: see `pick`; poses: (T, J, 3) true ones of the clip, metres, root-relative, camera frame; frame: from 0 on.
    """
    skeleton, frame = prepared.skeleton, min(frame, len(poses) - 1)
    found = pick(maps, kind, block, head, frame, skeleton.index[joint])
    over_joints = kind == "joints"
    query = skeleton.index[joint] if over_joints else frame
    names = [name.replace("_", " ") for name in skeleton.names] if over_joints else list(range(len(found)))
    figure = make_subplots(1, 2, specs=[[{"type": "xy"}, {"type": "scene"}]], horizontal_spacing=0.12)
    hover = "query %{y}<br>attends to %{x}<br>%{z:.3f}<extra></extra>"
    # By number, named by ticks, for a frame around a row needs numbers.
    figure.add_heatmap(z=found.astype(np.float32), coloraxis="coloraxis", hovertemplate=hover, row=1, col=1)
    low, high = query - 0.5, query + 0.5
    around = {"type": "rect", "x0": -0.5, "x1": len(found) - 0.5, "y0": low, "y1": high, "line": {"color": VERMILLION}}
    shown = upright(poses)
    bodies = [Body("query frame", shown[[frame]], skeleton, faint=over_joints)]
    if not over_joints:
        most = int(found[query].argmax())
        bodies.insert(0, Body(f"frame {most}, attended to most", shown[[most]], skeleton, faint=True))
        title += f"<br><sup>frame {frame} in colour; grey: frame {most}, which it attends to most</sup>"
    else:
        title += f"<br><sup>pose of frame {frame}; dots: what {names[query]} attends to, ringed</sup>"
    for body in bodies:
        figure.add_trace(lines(body), row=1, col=2)
    if over_joints:
        x, y, z = shown[frame].T
        size = 6 + 12 * found[query] / found[query].max()
        marker = {"size": size, "color": found[query], "coloraxis": "coloraxis"}
        marker |= {"line": {"color": "#333333", "width": 1}}
        ring = {"size": 24, "color": VERMILLION, "symbol": "circle-open"}
        at = {axis: [values[query]] for axis, values in zip("xyz", (x, y, z), strict=True)}
        figure.add_scatter3d(**at, mode="markers", marker=ring, hoverinfo="skip", showlegend=False, row=1, col=2)
        text = [f"{name}: {value:.3f}" for name, value in zip(names, found[query], strict=True)]
        look = {"mode": "markers", "marker": marker, "hoverinfo": "text", "showlegend": False}
        figure.add_scatter3d(x=x, y=y, z=z, text=text, row=1, col=2, **look)
    ticks = {"tickvals": list(range(len(found))), "ticktext": names} if over_joints else {"dtick": -(-len(found) // 12)}
    figure.update_layout(
        title=title,
        height=600,
        shapes=[around],
        coloraxis={"colorscale": "Viridis", "colorbar": {"title": {"text": "attention", "side": "right"}}},
        xaxis={"title": f"attended to ({kind})", "tickangle": -90, "constrain": "domain", **ticks},
        yaxis={"title": f"query ({kind})", "autorange": "reversed", "scaleanchor": "x", "constrain": "domain", **ticks},
        scene=scene(shown, azimuth=azimuth),
        margin={"l": 90, "r": 10, "t": 80, "b": 110},
    )
    return figure


def explore(root: Path, model: str, video: str = "", height: int = 600) -> None:
    """Choose model, video, block, head, frame and joint; without trained networks, say what to run."""
    try:
        names, prepared = available(root), _prepared(root)
    except InputError as error:
        print(error)
        return
    videos = {f"{v.subject} {v.action}, camera {v.camera}": v for v in prepared.split("test")}
    start = next((v for name, v in videos.items() if name.startswith(video)), None)
    controls = {
        "model": live.choice("model", names, model),
        "video": live.choice("test video", videos, start),
        "kind": live.switch("attention over", list(KINDS)),
        "block": live.number("block", 1, least=1),
        "head": live.number("head (0: mean)", 1),
        "frame": live.number("frame", 1),
        "joint": live.choice(
            "joint", {name.replace("_", " "): name for name in prepared.skeleton.names}, "right_wrist"
        ),
        "turn": live.number("turn (degrees)", 180, least=-180, value=-75, step=15),
    }

    def fit(_: object = None) -> None:
        maps, frames = attend(root, controls["model"].value, controls["video"].value)
        found = maps.get(KINDS[controls["kind"].value])
        controls["frame"].max = len(frames) - 1
        if found is not None:
            controls["block"].max, controls["head"].max = len(found), found.shape[-3]

    def shown(model: str, video: Video, kind: str, turn: int, **where) -> go.Figure:
        maps, frames = attend(root, model, video)
        truth = np.array(prepared.poses_3d[frames])
        truth[:, prepared.skeleton.root] = 0
        head = "mean of heads" if where["head"] == MEAN else f"head {where['head']}"
        title = f"{model}, {video.subject} {video.action}: block {where['block']}, {head}"
        return draw(maps, truth, prepared, title, kind=kind, azimuth=turn, **where)

    fit()
    controls["frame"].value = controls["frame"].max // 2
    for name in ("model", "video", "kind"):
        controls[name].observe(fit, "value")
    live.show(shown, height, **controls)
