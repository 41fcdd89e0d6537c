"""The fast path against plain code: ratios in one run, growth with sizes, distance to the machine's ceiling."""

import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import torch

from poselib.bench import arrays, memory, networks
from poselib.bench.clock import slope
from poselib.complexity import machine
from poselib.errors import InputError
from poselib.files import write_whole
from poselib.gpu_hours import PASSES_PER_UPDATE
from poselib.models import MODELS

# The loader comes first: memory that large networks leave in pieces slows it by up to a tenth.
SECTIONS = ("ceiling", "loader", "metrics", "train", "inference", "profiles", "memory", "accuracy", "scaling")
# The sizes that profiles have beside the published ones; laptop's are those of demo.
PROFILES = ("smoke", "demo")
SET_SIZES = (30_000, 100_000, 300_000)
SQUARE = "above 1, as attention over frames takes, and keeps, T x T numbers for each head"
Row = dict[str, str | float]
# What times networks, and in how many forward passes' worth of products.
TIMED = MappingProxyType({"train": (networks.training, PASSES_PER_UPDATE), "inference": (networks.inference, 1)})


def measure(only: Sequence[str] = (), quick: bool = False, repeats: int = 5, models: Sequence[str] = MODELS):
    """A table of what was asked for, in the order of `SECTIONS`; all of them if nothing was.

    Returns:
        A frame with columns section, what, unit, plain, fast, ratio (how many times better the fast path is, median),
        quartile_1, quartile_3, and share, the part of the ceiling reached by the fast path.

    Raises:
        InputError: unknown section or model.
    """
    for asked, known in ((only, SECTIONS), (models, MODELS)):
        if unknown := [name for name in asked if name not in known]:
            raise InputError(f"nothing called {unknown[0]!r} is measured; choose from: {', '.join(known)}")
    chosen = [section for section in SECTIONS if section in (only or SECTIONS)]
    rows = [row for section in chosen for row in _rows(section, quick, repeats, models)]
    columns = ["section", "what", "unit", "plain", "fast", "ratio", "quartile_1", "quartile_3", "share"]
    return pd.DataFrame(rows, columns=columns)


def _rows(section: str, quick: bool, repeats: int, models: Sequence[str]) -> Iterator[Row]:
    # Of calls of milliseconds.
    often = repeats if quick else 8 * repeats
    if section == "ceiling":
        kinds = torch.float32, arrays.fastest_kind()
        plain, fast = (arrays.product_rate(kind, quick, repeats) for kind in kinds)
        yield _row(section, "matrix product", f"10^12/s, {kinds[0]} and {kinds[1]}".replace("torch.", ""), plain, fast)
        yield {"section": section, "what": "copy", "unit": "10^9 bytes/s", "fast": arrays.copy_rate(quick, repeats)}
    elif section in TIMED:
        compare, passes = TIMED[section]
        for name in models:
            # What a shared machine can do changes within minutes.
            best = arrays.product_rate(arrays.fastest_kind(), quick, often)
            # The start of a process takes seconds.
            found = compare(name, quick, repeats) if quick else networks.alone(compare, name, quick, repeats)
            row, work = found.row(), passes * networks.tera_operations(name, quick)
            yield row | {"share": work * row["fast"] / found.amount / best}
    elif section == "profiles":
        for profile, name, (kind, (compare, _)) in itertools.product(PROFILES, models, TIMED.items()):
            found = compare(name, quick, often, profile)
            yield found.row() | {"section": section, "what": f"{name}, {kind}, {profile}"}
    elif section == "memory":
        for name in models[:1] if quick else models:
            plain, fast = (networks.peak_mib(name, quick, path) for path in (False, True))
            if plain is not None:
                yield _row(section, name, "MiB of an update", plain, fast) | {"ratio": plain / fast}
    elif section == "accuracy":
        for name in models:
            apart, length = networks.apart_mm(name, quick)
            yield {"section": section, "what": name, "unit": "mm apart, of mm", "plain": length, "fast": apart}
    elif section == "metrics":
        yield arrays.protocol_2(quick, repeats).row()
    elif section == "loader":
        for length in arrays.LOADED_LENGTHS:
            yield arrays.loading(length, quick, often).row()
    else:
        seconds = {**networks.growth(quick, repeats), "frames of the set": arrays.growth(quick, repeats)}
        yield from _grown(seconds, "s")
        if not quick and sys.platform == "linux":
            stages = memory.growth(SET_SIZES)
            resident = {f"frames of the set, memory, {stage}": points for stage, points in stages.items()}
            yield from _grown({"T, memory": networks.memory_growth(), **resident}, "MiB")


def _grown(found: dict[str, tuple[Sequence[int], Sequence[float]]], unit: str) -> Iterator[Row]:
    for name, (sizes, costs) in found.items():
        for size, value in zip(sizes, costs, strict=True):
            yield {"section": "scaling", "what": f"{name} = {size}", "unit": unit, "fast": value}
        yield {"section": "scaling", "what": name, "unit": "slope, log-log", "fast": slope(sizes, costs)}


def _row(section: str, what: str, unit: str, plain: float, fast: float) -> Row:
    return {"section": section, "what": what, "unit": unit, "plain": plain, "fast": fast, "ratio": fast / plain}


def report(only: Sequence[str], quick: bool, out: Path | None) -> None:
    """Print the table of `measure`, and write it to a CSV file if one is named."""
    found = measure(only, quick, 2 if quick else 5)
    clips = ", ".join(f"{name} {number}" for name, number in networks.CLIPS.items())
    print(f"{machine(gpu=False)}; clips per step: {clips}")
    print(found.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.4g}"))
    if arrays.fastest_kind() == torch.float32:
        print("This CPU has no instructions for bf16: all but --quick is float32 here. Do not train in bf16 on it.")
    steep = found[found["unit"].eq("slope, log-log") & found["fast"].gt(1)]
    for name, value in zip(steep["what"], steep["fast"], strict=True):
        print(f"{name}: slope {value:.2f}" + (f", {SQUARE}" if name.startswith("T") else ""))
    if out is not None:
        write_whole(out, found.to_csv(index=False, lineterminator="\n", float_format="%.5g"))
