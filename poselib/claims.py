"""A paper's claims as sentences that the measured numbers contradict or not.

A gap whose interval holds zero is within noise. With two or more seeds the interval is Welch's over seeds; with one
it is the paired one over test recordings, actions weighing the same, which does not see training noise: the verdict
says so.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pandas as pd
import scipy  # whose stats, slow to import, load where they are named

from poselib.gaps import Gap, change, contrast, gap, lacking, paired
from poselib.records import Run
from poselib.tables import row_label

Pairs = Sequence[tuple[Run, Run]]
# Of errors; all others are millimetres.
UNITS = MappingProxyType({"mpjve": "mm per frame", "pck": "% short of PCK 100 %", "auc": "% short of AUC 100 %"})
# What of two sides is shown beside a verdict.
RUN_WITH = MappingProxyType(
    {
        "T": lambda record: record["setting"]["frames"],
        "updates": lambda record: record["seeds"][0]["updates"],
        "rate": lambda record: f"{record['setting']['lr']:.3g}",
        "started from": lambda record: record["seeds"][0].get("start", {"experiment": "scratch"})["experiment"],
    }
)
HOLDS, NOISE, FAILS, UNTESTABLE = "holds", "within noise", "fails", "not testable here"


@dataclass(frozen=True)
class Verdict:
    """What became of a claim."""

    claim: str
    sentence: str
    verdict: str
    evidence: str
    basis: str
    run_at: str = ""


def lower(claim: str, sentence: str, pairs: Pairs, metric: str = "mpjpe") -> Verdict:
    """Judge that in every pair the first run has the lower error; of many pairs the evidence names the worst six."""
    if _undecidable(pairs):
        return _as_far_as_known(partial(lower, metric=metric), claim, sentence, pairs)
    gaps = [gap(first, second, metric) for first, second in pairs]
    worst = sorted(range(len(gaps)), key=lambda i: -gaps[i].mean)[:6]
    named = [
        f"{_against(first, '-', second)} = {_interval(g, UNITS.get(metric, 'mm'))}"
        for i, ((first, second), g) in enumerate(zip(pairs, gaps, strict=True))
        if i in worst
    ]
    return Verdict(claim, sentence, _verdict(gaps), _some(named, gaps, "worst"), gaps[0].basis, _run_at(pairs))


def at_least(claim: str, sentence: str, pairs: Pairs, ratio: float, metric: str = "mpjpe") -> Verdict:
    """Judge that in every pair the first run's error is at least `ratio` times the second's."""
    if _undecidable(pairs):
        return _as_far_as_known(partial(at_least, ratio=ratio, metric=metric), claim, sentence, pairs)
    gaps = [gap(second, first, metric, 1 / ratio) for first, second in pairs]
    evidence = []
    for (first, second), g in zip(pairs, gaps, strict=True):
        # The gap's interval as one of the ratio, so that both lie on the same side of what is asked.
        level = lacking(second.errors(metric), metric).mean()
        middle, low, high = (ratio * (1 - end / level) for end in (g.mean, g.high, g.low))
        evidence.append(f"{_against(first, '/', second)} = {middle:.2f} [{low:.2f}, {high:.2f}]")
    asked = f"; at least {ratio:g} is asked"
    return Verdict(claim, sentence, _verdict(gaps), "; ".join(evidence) + asked, gaps[0].basis, _run_at(pairs))


def rarer(claim: str, sentence: str, first: Mapping[str, float], second: Mapping[str, float]) -> Verdict:
    """Judge that the first of two shares of frames, recording -> percent, each of one training, is the smaller one."""
    mean, half = paired({recording: first[recording] - second[recording] for recording in first})
    found = Gap(mean, mean - half, mean + half, f"one seed, {len(first)} test recordings")
    shares = f"{paired(first)[0]:.1f} % - {paired(second)[0]:.1f} %"
    evidence = f"{shares} = {mean:+.1f} percentage points [{found.low:+.1f}, {found.high:+.1f}]"
    return Verdict(claim, sentence, _verdict([found]), evidence, found.basis)


def close(claim: str, sentence: str, pairs: Pairs, share: float, metric: str = "mpjpe") -> Verdict:
    """Judge that in every pair the errors differ by less than this share of the second's."""
    if _undecidable(pairs):
        return _as_far_as_known(partial(close, share=share, metric=metric), claim, sentence, pairs)
    gaps, evidence = [], []
    for first, second in pairs:
        found = change(first, second, metric)
        # How far the difference, of either sign, stays below the bound.
        half, off = (found.high - found.low) / 2, abs(found.mean) - share
        gaps.append(Gap(off, off - half, off + half, found.basis))
        evidence.append(f"{_against(first, '-', second)} = {found.mean:+.1%} [{found.low:+.1%}, {found.high:+.1%}]")
    allowed = f"; {100 * share:g} % is allowed"
    return Verdict(claim, sentence, _verdict(gaps), "; ".join(evidence) + allowed, gaps[0].basis, _run_at(pairs))


def lower_gap(
    claim: str, sentence: str, pairs: Sequence[Pairs], metric: str = "mpjpe", relative: bool = False
) -> Verdict:
    """Judge that in every pair the first gap, of two runs' errors, is smaller; the evidence names the closest three.

    With `relative` a gap is in percent of the second run's error, whose own noise its interval leaves out.
    """
    compared = [runs for pair in pairs for runs in pair]
    if absent := _undecidable(compared):
        return untestable(claim, sentence, absent)
    gaps = []
    for (a, b), (c, d) in pairs:
        one, other = (100 / lacking(run.errors(metric), metric).mean() if relative else 1.0 for run in (b, d))
        gaps.append(contrast([(a, one), (b, -one), (c, -other), (d, other)], metric))
    unit = "percentage points" if relative else UNITS.get(metric, "mm")
    closest = sorted(zip(gaps, pairs, strict=True), key=lambda judged: -judged[0].mean)[:3]
    named = [
        f"({_against(a, '-', b)}) - ({_against(c, '-', d)}) = {_interval(g, unit)}" for g, ((a, b), (c, d)) in closest
    ]
    basis = f"{gaps[0].basis}, {'one pair' if len(pairs) == 1 else f'{len(pairs)} pairs'} of gaps"
    return Verdict(claim, sentence, _verdict(gaps), _some(named, gaps, "closest"), basis, _run_at(compared))


def falls(
    claim: str,
    sentence: str,
    steps: Sequence[float],
    runs: Sequence[Run],
    metric: str = "mpjpe",
    against: Sequence = (),
) -> Verdict:
    """Judge that the error falls as `steps` rise: Kendall's tau with its p-value over all seeds.

    Args:
        steps: one number per run.
        against: runs that these are compared with, one for each; then it is the relative gain that must rise.
    """
    pairs = list(zip(runs, against or runs, strict=True))
    if reason := _undecidable([*pairs, *pairwise(runs)]):
        return untestable(claim, sentence, reason)
    values = [lacking(run.errors(metric), metric) for run in runs]
    if against:
        values = [a / lacking(other.errors(metric), metric).mean() for a, other in zip(values, against, strict=True)]
    result = scipy.stats.kendalltau(np.repeat(steps, [len(v) for v in values]), np.concatenate(values))
    sure = result.pvalue < 0.05
    verdict = HOLDS if sure and result.statistic < 0 else FAILS if sure and result.statistic > 0 else NOISE
    seeds, p = min(len(v) for v in values), "< 0.001" if result.pvalue < 0.001 else f"= {result.pvalue:.3f}"
    evidence = f"tau = {result.statistic:+.2f}, p {p}: "
    evidence += "; ".join(f"{step:g}: {value.mean():.4g}" for step, value in zip(steps, values, strict=True))
    evidence += " of the others' error" if against else f" {UNITS.get(metric, 'mm')}"
    basis = f"{len(runs)} runs, {seeds} seed(s)"
    return Verdict(claim, sentence, _named(verdict, seeds), evidence, basis, _run_at(pairs))


def _interval(found: Gap, unit: str) -> str:
    return f"{found.mean:+.2f} {unit} [{found.low:+.2f}, {found.high:+.2f}]"


def _some(named: Sequence[str], judged: Sequence, kind: str) -> str:
    """Evidence that says where it names a part of what was judged."""
    cut = f"; the {kind} {len(named)} of {len(judged)}" if len(named) < len(judged) else ""
    return "; ".join(named) + cut


def _against(first: Run, sign: str, second: Run) -> str:
    """In what two rows differ, then what they share: 'TMT - TMT_1 (d_l 4, d_m 64)'."""
    shared = {key: value for key, value in first.key.items() if second.key.get(key) == value}
    one, other = (row_label({k: v for k, v in run.key.items() if k not in shared}) for run in (first, second))
    return f"{one} {sign} {other}" + (f" ({row_label(shared)})" if shared else "")


def _undecidable(pairs: Pairs) -> str:
    """Why these runs decide nothing: one is missing, or a small profile made one of the other."""
    if missing := sorted({run.name for pair in pairs for run in pair if run.record is None}):
        return f"not run: {', '.join(missing)}"
    twins = [_against(first, "and", second) for first, second in pairs if first.is_twin_of(second)]
    return f"this profile makes them equal: {'; '.join(twins)}" if twins else ""


def _as_far_as_known(judge: Callable[..., Verdict], claim: str, sentence: str, pairs: Pairs) -> Verdict:
    """That the claim fails, if it does for the pairs that can be compared; else why it cannot be decided."""
    reason, known = _undecidable(pairs), [pair for pair in pairs if not _undecidable([pair])]
    if known and (found := judge(claim, sentence, known)).verdict.startswith(FAILS):
        return replace(found, evidence=f"{found.evidence}; {reason}")
    return untestable(claim, sentence, reason)


def _run_at(pairs: Pairs) -> str:
    """What was really run, since a claim is worded with the paper's: clip lengths; updates and rates that differ."""
    sides = [[run.record for run in side] for side in zip(*pairs, strict=True)]
    said = {name: [_listed(map(of, side)) for side in sides] for name, of in RUN_WITH.items()}
    frames = " against ".join(dict.fromkeys(said.pop("T")))
    differ = (f"; {name} {one} against {other}" for name, (one, other) in said.items() if one != other)
    return f"{sides[0][0]['profile']}, T {frames}{''.join(differ)}"


def _listed(values: Iterable) -> str:
    return " and ".join(map(str, sorted(set(values))))


def _verdict(gaps: Sequence[Gap]) -> str:
    """Holds if every gap is below zero, fails if one is above it; a single seed is named."""
    verdict = HOLDS if all(g.high < 0 for g in gaps) else FAILS if any(g.low > 0 for g in gaps) else NOISE
    return _named(verdict, 1 if any(g.basis.startswith("one seed") for g in gaps) else None)


def _named(verdict: str, seeds: int | None) -> str:
    return f"{verdict} (one seed)" if seeds == 1 else verdict


def exact(
    claim: str, sentence: str, differences: Mapping[str, float], tolerance: float, unit="", basis="exact count"
) -> Verdict:
    """Judge that every named difference, in `unit`, lies within the tolerance; for what has no noise, as counts."""
    worst = max(differences, key=lambda name: abs(differences[name]))
    verdict = HOLDS if abs(differences[worst]) <= tolerance else FAILS
    evidence = f"largest: {f'{differences[worst]:+.4f} {unit}'.rstrip()} ({worst}), allowed {tolerance:g}"
    return Verdict(claim, sentence, verdict, evidence, basis)


def below(
    claim: str, sentence: str, pairs: Mapping[str, tuple[float, float]], unit="", timed_in="", seeds: int | None = None
) -> Verdict:
    """Judge that in every named pair the first number is the smaller one; the evidence names the three closest pairs.

    Args:
        unit: of the numbers, for the evidence.
        timed_in: file that holds the numbers if they are timings. A tenth of these is noise, and the evidence has words
            in their place, so that it is the same on every run.
        seeds: how many trainings the numbers are the mean of, None where they are counted.
    """
    noise = 0.1 if timed_in else 0.0
    words = {
        name: FAILS if first >= second * (1 + noise) else HOLDS if first < second / (1 + noise) else NOISE
        for name, (first, second) in pairs.items()
    }
    verdict = next((word for word in (FAILS, NOISE) if word in words.values()), HOLDS)
    if timed_in:
        evidence = "; ".join(f"{name}: {word}" for name, word in words.items()) + f"; numbers in {timed_in}"
        return Verdict(claim, sentence, _named(verdict, seeds), evidence, "timed on one machine, a tenth is noise")
    closest = sorted(pairs.items(), key=lambda item: -item[1][0] / item[1][1])[:3]
    digits = partial(np.format_float_positional, precision=4, fractional=False, trim="-")
    named = [f"{name}: {digits(a)} against {digits(b)} {unit}".rstrip() for name, (a, b) in closest]
    basis = f"{len(pairs)} pairs, " + ("exact count" if seeds is None else f"{seeds} seed(s)")
    return Verdict(claim, sentence, _named(verdict, seeds), _some(named, pairs, "closest"), basis)


def correlated(
    claim: str, sentence: str, first: Mapping[str, float], second: Mapping[str, float], seeds: int
) -> Verdict:
    """Judge that two quantities by joint, measured with so many seeds, rise together: Pearson's r and its interval."""
    r, low, high = pearson(first, second)
    verdict = _named(HOLDS if low > 0 else FAILS if high < 0 else NOISE, seeds)
    return Verdict(claim, sentence, verdict, f"r = {r:.2f} [{low:.2f}, {high:.2f}]", f"{len(first)} joints")


def pearson(first: Mapping[str, float], second: Mapping[str, float]) -> tuple[float, float, float]:
    """Pearson's r of two quantities by name, with the ends of its 95 % interval."""
    result = scipy.stats.pearsonr([first[key] for key in first], [second[key] for key in first])
    interval = result.confidence_interval()
    return float(result.statistic), float(interval.low), float(interval.high)


def groups(
    claim: str,
    sentence: str,
    values: Mapping[str, float],
    high: Sequence[str],
    low: Sequence[str],
    unit: str,
    seeds: int | None = None,
    of: str = "joints",
) -> Verdict:
    """Judge that one group, such as of joints, lies above another: Welch's interval of the difference of means.

    Args:
        values: joint -> value; seeds: how many trainings it is the mean of, None for a property of the data.
        unit: of the values, for the evidence; of: what they are values of.
    """
    upper, under = [values[name] for name in high], [values[name] for name in low]
    interval = scipy.stats.ttest_ind(upper, under, equal_var=False).confidence_interval()
    verdict = _named(HOLDS if interval.low > 0 else FAILS if interval.high < 0 else NOISE, seeds)
    means = [np.mean(upper), np.mean(under)]
    evidence = f"{means[0]:.1f} - {means[1]:.1f} {unit} = {means[0] - means[1]:+.1f}"
    evidence += f" [{interval.low:+.1f}, {interval.high:+.1f}]"
    return Verdict(claim, sentence, verdict, evidence, f"{len(upper)} against {len(under)} {of}")


def untestable(claim: str, sentence: str, reason: str) -> Verdict:
    """A claim that nothing measured here can decide."""
    return Verdict(claim, sentence, UNTESTABLE, reason, "")


def frame(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """The verdicts as a table."""
    return pd.DataFrame([asdict(verdict) for verdict in verdicts])
