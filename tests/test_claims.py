from dataclasses import replace

import numpy as np
import pytest

from poselib import claims
from poselib.tables import Run


def run(name, *errors, noise=0.1):
    random = np.random.default_rng(len(name))
    recordings = {f"S9 walk {i}": i - 4.5 for i in range(10)}
    seeds = [
        {
            "action_mean": {"mpjpe": error},
            "per_recording": {"mpjpe": {k: error + v + noise * random.normal() for k, v in recordings.items()}},
        }
        for error in errors
    ]
    record = {"seeds": seeds, "profile": "smoke", "setting": {"frames": 3}}
    return Run(name, {"method": name}, record)


def test_a_clear_gap_holds_fails_or_drowns():
    low, high = run("low", 50.0), run("higher", 60.0)
    assert claims.lower("c", "s", [(low, high)]).verdict == "holds (one seed)"
    assert claims.lower("c", "s", [(high, low)]).verdict == "fails (one seed)"
    assert claims.lower("c", "s", [(low, run("x", 50.01, noise=5.0))]).verdict == "within noise (one seed)"
    verdict = claims.lower("c", "s", [(low, high)])
    assert "low - higher = -10.0" in verdict.evidence and "one seed, 10 test recordings" in verdict.basis


def test_one_contradicting_pair_is_enough_to_fail():
    low, high = run("low", 50.0), run("higher", 60.0)
    assert claims.lower("c", "s", [(low, high), (high, low)]).verdict == "fails (one seed)"


def test_with_seeds_the_interval_is_over_seeds():
    tight = claims.gap(run("a", 50.0, 50.1, 49.9), run("b", 52.0, 52.1, 51.9), "mpjpe")
    assert tight.high < 0 and tight.basis == "3 seeds" and tight.mean == pytest.approx(-2)
    # Welch for 3 against 3 with variance 0.01: half width t(4) * sqrt(0.02 / 3).
    assert tight.high - tight.mean == pytest.approx(2.776 * np.sqrt(0.02 / 3), rel=1e-3)
    wide = claims.lower("c", "s", [(run("a", 40.0, 50.0, 60.0), run("b", 42.0, 52.0, 62.0))])
    assert wide.verdict == claims.NOISE


def test_ratios():
    high = run("b", 100.0)
    assert claims.at_least("c", "s", [(high, run("a", 50.0))], 1.5).verdict == "holds (one seed)"
    verdict = claims.at_least("c", "s", [(high, run("a", 80.0))], 1.5)
    assert verdict.verdict == "fails (one seed)" and "= 1.25" in verdict.evidence
    seeds = claims.at_least("c", "s", [(run("b", 99.0, 101.0), run("a", 49.0, 51.0))], 1.5)
    assert seeds.verdict == claims.HOLDS


@pytest.mark.parametrize(
    ("pairs", "counted", "timed"),
    [
        ({"a": (1.0, 2.0), "b": (3.0, 4.0)}, claims.HOLDS, claims.HOLDS),
        ({"a": (1.0, 2.0), "b": (3.9, 4.0)}, claims.HOLDS, claims.NOISE),
        ({"a": (1.0, 2.0), "b": (4.0, 4.0)}, claims.FAILS, claims.NOISE),
        ({"a": (4.2, 4.0), "b": (2.0, 1.0)}, claims.FAILS, claims.FAILS),
    ],
)
def test_counts_are_compared_as_they_are_and_timings_with_a_tenth_of_noise(pairs, counted, timed):
    assert claims.below("c", "s", pairs).verdict == counted
    verdict = claims.below("c", "s", pairs, timed_in="t.timing.csv")
    assert verdict.verdict == timed and "t.timing.csv" in verdict.evidence


def test_evidence_holds_the_closest_counts_and_no_timing():
    pairs = {name: (10.0, second) for name, second in (("a", 90.0), ("b", 20.0), ("c", 123456.7), ("d", 30.0))}
    assert claims.below("c", "s", pairs, "M").evidence == "b: 10 against 20 M; d: 10 against 30 M; a: 10 against 90 M"
    verdicts = [claims.below("c", "s", {"a": pair}, timed_in="file") for pair in ((1.0, 2.0), (1.1, 2.3))]
    assert verdicts[0] == verdicts[1]


def test_evidence_names_what_differs_before_what_is_shared():
    first, second = (
        replace(run(name, error), key={"method": name, "d_l": 4}) for name, error in (("a", 1.0), ("b", 2))
    )
    assert claims.lower("c", "s", [(first, second)]).evidence.startswith("a - b (d_l 4) = -")
    long, short = (replace(run("a", error), key={"frames": frames}) for frames, error in ((243, 1.0), (81, 2.0)))
    assert claims.at_least("c", "s", [(long, short)], 1.5).evidence == "frames 243 / frames 81 = 0.50"


def test_missing_runs_are_not_testable():
    verdict = claims.lower("c", "s", [(run("a", 1.0), Run("b", {}, None))])
    assert verdict.verdict == claims.UNTESTABLE and "not run: b" in verdict.evidence


def test_correlation_and_groups():
    x = {f"j{i}": float(i) for i in range(12)}
    assert claims.correlated("c", "s", x, {k: 2 * v + 1 for k, v in x.items()}, 3).verdict == claims.HOLDS
    assert claims.correlated("c", "s", x, {k: -v for k, v in x.items()}, 3).verdict == claims.FAILS
    assert (
        claims.correlated("c", "s", x, {k: (-1) ** i for i, k in enumerate(x)}, 1).verdict == "within noise (one seed)"
    )
    assert claims.groups("c", "s", x, ["j9", "j10", "j11"], ["j0", "j1", "j2"], "mm").verdict == claims.HOLDS
    assert claims.groups("c", "s", x, ["j0", "j1", "j2"], ["j9", "j10", "j11"], "mm").verdict == claims.FAILS


def test_exact_counts():
    assert claims.exact("c", "s", {"a": 0.001, "b": -0.004}, 0.005).verdict == claims.HOLDS
    verdict = claims.exact("c", "s", {"a": 0.001, "b": -0.006}, 0.005)
    assert verdict.verdict == claims.FAILS and "b" in verdict.evidence


def test_gap_and_interval_are_of_the_action_mean_even_when_actions_are_uneven():
    def uneven(walk, sit):
        recordings = {f"S9 walk {i}": walk + 0.1 * (i % 3) for i in range(50)} | {"S9 sit 1": sit}
        means = (np.mean([recordings[f"S9 walk {i}"] for i in range(50)]) + sit) / 2
        seed = {"action_mean": {"mpjpe": means}, "per_recording": {"mpjpe": recordings}}
        return Run("r", {}, {"seeds": [seed], "profile": "smoke", "setting": {"frames": 3}})

    found = claims.gap(uneven(50.0, 60.0), uneven(52.0, 50.0), "mpjpe")
    assert found.mean == pytest.approx(4.0) and found.low < found.mean < found.high
    assert found.low < 0, "a single sitting recording decides little"
    assert "T 3" in claims.lower("c", "s", [(uneven(50.0, 60.0), uneven(52.0, 50.0))]).run_at
