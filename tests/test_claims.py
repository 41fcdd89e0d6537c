from dataclasses import replace

import numpy as np
import pytest
import scipy

from poselib import claims
from poselib.errors import InputError
from poselib.records import Run


def run(name, *errors, noise=0.1):
    random = np.random.default_rng(len(name))
    recordings = {f"S9 walk {i}": i - 4.5 for i in range(10)}
    seeds = [
        {
            "action_mean": {"mpjpe": error},
            "per_recording": {"mpjpe": {k: error + v + noise * random.normal() for k, v in recordings.items()}},
            "updates": 10,
        }
        for error in errors
    ]
    setting = {"paper": "tmt", "frames": 3, "lr": 0.01, "what": name, "also_on": []}
    record = {"seeds": seeds, "profile": "smoke", "role": "h36m", "setting": setting}
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


def test_of_many_pairs_the_evidence_names_the_worst():
    base = run("base", 50.0)
    pairs = [(base, run("x" * i, 50.0 + i)) for i in range(1, 9)]
    evidence = claims.lower("c", "s", pairs).evidence
    assert evidence.count("base - ") == 6 and "base - xxxxxx = -6" in evidence and "xxxxxxx" not in evidence
    assert evidence.endswith("; the worst 6 of 8")
    assert "worst" not in claims.lower("c", "s", pairs[:6]).evidence
    gaps = claims.lower_gap("c", "s", [(pairs[0], pair) for pair in pairs[1:]])
    assert gaps.evidence.count("mm [") == 3 and gaps.evidence.endswith("; the closest 3 of 7")


def test_with_seeds_the_interval_is_over_seeds():
    tight = claims.gap(run("a", 50.0, 50.1, 49.9), run("b", 52.0, 52.1, 51.9), "mpjpe")
    assert tight.high < 0 and tight.basis == "3 seeds" and tight.mean == pytest.approx(-2)
    # Welch for 3 against 3 with variance 0.01: half width t(4) * sqrt(0.02 / 3).
    assert tight.high - tight.mean == pytest.approx(2.776 * np.sqrt(0.02 / 3), rel=1e-3)
    wide = claims.lower("c", "s", [(run("a", 40.0, 50.0, 60.0), run("b", 42.0, 52.0, 62.0))])
    assert wide.verdict == claims.NOISE


def test_a_run_is_not_compared_with_its_twin():
    long, short, other = run("long", 50.0), run("short", 50.0), run("other", 60.0)
    twin = replace(short, record={**short.record, "setting": {**long.record["setting"], "paper": "mixste"}})
    for verdict in (
        claims.lower("c", "s", [(long, other), (long, twin)]),
        claims.close("c", "s", [(long, twin)], 0.02),
        claims.falls("c", "s", [1, 2, 3], [other, long, twin]),
    ):
        assert verdict.verdict == claims.UNTESTABLE
        assert verdict.evidence == "this profile makes them equal: long and short"
    assert claims.lower("c", "s", [(long, short), (twin, other)]).verdict != claims.UNTESTABLE
    # Two looks at one training, such as by input stride, are no twins.
    assert not long.is_twin_of(replace(long, view="by_input_stride.20"))


def test_a_pair_that_cannot_be_judged_does_not_hide_one_that_refutes():
    long, short, other = run("long", 50.0), run("short", 50.0), run("other", 60.0)
    twin = replace(short, record={**short.record, "setting": {**long.record["setting"], "paper": "mixste"}})
    pairs = [(other, long), (long, twin)]
    for verdict in (claims.lower("c", "s", pairs), claims.close("c", "s", pairs, 0.02)):
        assert verdict.verdict == "fails (one seed)"
        assert verdict.evidence.endswith("; this profile makes them equal: long and short")
    ratio = claims.at_least("c", "s", [(long, other), (long, twin)], 1.5)
    assert ratio.verdict == "fails (one seed)" and "long / other = 0.83" in ratio.evidence
    assert claims.lower("c", "s", [(long, other), (long, replace(other, record=None))]).evidence == "not run: other"


def test_evidence_names_units_and_what_was_allowed():
    assert "= -10.00 mm [" in claims.lower("c", "s", [(run("low", 50.0), run("higher", 60.0))]).evidence
    counted = claims.exact("c", "s", {"a": 0.1, "b": -2.5}, 2, "M")
    assert counted.evidence == "largest: -2.5000 M (b), allowed 2" and counted.verdict == claims.FAILS
    falling = claims.falls(
        "c", "s", range(9), [run(f"r{i}", *(90.0 - i - 0.01 * seed for seed in range(3))) for i in range(9)]
    )
    assert "p < 0.001: " in falling.evidence and falling.evidence.endswith(" mm") and falling.verdict == claims.HOLDS
    late = claims.below("c", "s", {"a": (1.0, 2.0)}, timed_in="x.timing.csv", seeds=1)
    assert late.verdict == "holds (one seed)"


def test_ratios():
    high = run("b", 100.0)
    assert claims.at_least("c", "s", [(high, run("a", 50.0))], 1.5).verdict == "holds (one seed)"
    verdict = claims.at_least("c", "s", [(high, run("a", 80.0))], 1.5)
    assert verdict.verdict == "fails (one seed)" and "= 1.25" in verdict.evidence
    seeds = claims.at_least("c", "s", [(run("b", 99.0, 101.0), run("a", 49.0, 51.0))], 1.5)
    assert seeds.verdict == claims.HOLDS


def test_the_interval_of_a_ratio_lies_on_the_side_of_the_verdict():
    # 150 and 100 with variance 2: half of Welch's interval for 150 / 1.5 - 100 is t(df) * sqrt(2 / 2 / 1.5**2 + 2 / 2).
    parts = np.array([1 / 1.5**2, 1.0])
    half = scipy.stats.t.ppf(0.975, parts.sum() ** 2 / (parts**2).sum()) * np.sqrt(parts.sum())
    verdict = claims.at_least("c", "s", [(run("b", 149.0, 151.0), run("a", 99.0, 101.0))], 1.5)
    ends = 1.5 * (1 - half / 100), 1.5 * (1 + half / 100)
    assert verdict.evidence == f"b / a = 1.50 [{ends[0]:.2f}, {ends[1]:.2f}]; at least 1.5 is asked"
    assert verdict.verdict == claims.NOISE and ends[0] < 1.45 < 1.55 < ends[1]


def test_what_the_sides_were_run_with_is_said_where_they_differ():
    first, second = run("a", 50.0), run("b", 60.0)
    assert claims.lower("c", "s", [(first, second)]).run_at == "smoke, T 3"
    second.record["setting"] |= {"frames": 7, "lr": 0.0096}
    second.record["seeds"][0] |= {"updates": 20, "start": {"experiment": "c"}}
    expected = "smoke, T 3 against 7; updates 10 against 20; rate 0.01 against 0.0096; started from scratch against c"
    assert claims.lower("c", "s", [(first, second)]).run_at == expected
    assert claims.lower("c", "s", [(first, second), (second, first)]).run_at == "smoke, T 3 and 7"


def test_one_seed_anywhere_is_named():
    three = [run(name, *(error + off for off in (-0.1, 0.0, 0.1))) for name, error in (("a", 50.0), ("b", 60.0))]
    pairs = [tuple(three), (run("c", 50.0), run("d", 60.0))]
    assert claims.lower("c", "s", pairs[:1]).verdict == claims.HOLDS
    assert claims.lower("c", "s", pairs).verdict == "holds (one seed)"


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
    assert claims.below("c", "s", pairs, "M").evidence == (
        "b: 10 against 20 M; d: 10 against 30 M; a: 10 against 90 M; the closest 3 of 4"
    )
    verdicts = [claims.below("c", "s", {"a": pair}, timed_in="file") for pair in ((1.0, 2.0), (1.1, 2.3))]
    assert verdicts[0] == verdicts[1]
    trained = claims.below("c", "s", {"a": (1.0, 2.0)}, seeds=1)
    assert (trained.verdict, trained.basis) == ("holds (one seed)", "1 pairs, 1 seed(s)")


def test_evidence_names_what_differs_before_what_is_shared():
    first, second = (
        replace(run(name, error), key={"method": name, "d_l": 4}) for name, error in (("a", 1.0), ("b", 2))
    )
    assert claims.lower("c", "s", [(first, second)]).evidence.startswith("a - b (d_l 4) = -")
    long, short = (replace(run(f"t{t}", error), key={"frames": t}) for t, error in ((243, 1.0), (81, 2.0)))
    assert claims.at_least("c", "s", [(long, short)], 1.5).evidence.startswith("frames 243 / frames 81 = 0.50 [")


def test_missing_runs_are_not_testable():
    verdict = claims.lower("c", "s", [(run("a", 1.0), Run("b", {}, None))])
    assert verdict.verdict == claims.UNTESTABLE and "not run: b" in verdict.evidence


def test_shares_of_frames_are_compared_by_recording():
    many = {f"S9 walk {i}": 50.0 + i for i in range(8)}
    few = {key: share - 10 + 0.2 * (i % 2) for i, (key, share) in enumerate(many.items())}
    verdict = claims.rarer("c", "s", few, many)
    assert verdict.verdict == "holds (one seed)" and (
        verdict.evidence.startswith("43.6 % - 53.5 % = -9.9 percentage points [-")
    )
    assert claims.rarer("c", "s", many, few).verdict == "fails (one seed)"
    shuffled = dict(zip(many, reversed(many.values()), strict=True))
    assert claims.rarer("c", "s", shuffled, many).verdict == "within noise (one seed)"


def test_experiments_that_a_profile_makes_equal_are_not_compared():
    long, short = run("long", 50.0), run("short", 60.0)
    short.record["setting"] |= {"what": "long", "paper": "another", "also_on": ["amass"]}
    verdict = claims.lower("c", "s", [(long, short)])
    assert verdict.verdict == claims.UNTESTABLE
    assert verdict.evidence == "this profile makes them equal: long and short"
    elsewhere = replace(short, record={**short.record, "role": "humaneva"})
    assert claims.lower("c", "s", [(long, elsewhere)]).verdict == "holds (one seed)"


def test_correlation_and_groups():
    x = {f"j{i}": float(i) for i in range(12)}
    assert claims.correlated("c", "s", x, {k: 2 * v + 1 for k, v in x.items()}, 3).verdict == claims.HOLDS
    assert claims.correlated("c", "s", x, {k: -v for k, v in x.items()}, 3).verdict == claims.FAILS
    assert (
        claims.correlated("c", "s", x, {k: (-1) ** i for i, k in enumerate(x)}, 1).verdict == "within noise (one seed)"
    )
    assert claims.groups("c", "s", x, ["j9", "j10", "j11"], ["j0", "j1", "j2"], "mm").verdict == claims.HOLDS
    verdict = claims.groups("c", "s", x, ["j0", "j1", "j2"], ["j9", "j10", "j11"], "mm", of="videos")
    assert (verdict.verdict, verdict.basis) == (claims.FAILS, "3 against 3 videos")
    assert verdict.evidence.startswith("1.0 - 10.0 mm = -9.0 [-")


def test_exact_counts():
    assert claims.exact("c", "s", {"a": 0.001, "b": -0.004}, 0.005).verdict == claims.HOLDS
    verdict = claims.exact("c", "s", {"a": 0.001, "b": -0.006}, 0.005)
    assert verdict.verdict == claims.FAILS and "b" in verdict.evidence


def test_gap_and_interval_are_of_the_action_mean_even_when_actions_are_uneven():
    def uneven(walk, sit):
        recordings = {f"S9 walk {i}": walk + 0.1 * (i % 3) for i in range(50)} | {"S9 sit 1": sit}
        means = (np.mean([recordings[f"S9 walk {i}"] for i in range(50)]) + sit) / 2
        seed = {"action_mean": {"mpjpe": means}, "per_recording": {"mpjpe": recordings}, "updates": 10}
        setting = {"frames": 3, "lr": 0.01, "dim": walk}
        return Run("r", {}, {"seeds": [seed], "profile": "smoke", "role": "h36m", "setting": setting})

    found = claims.gap(uneven(50.0, 60.0), uneven(52.0, 50.0), "mpjpe")
    assert found.mean == pytest.approx(4.0) and found.low < found.mean < found.high
    assert found.low < 0, "a single sitting recording decides little"
    assert "T 3" in claims.lower("c", "s", [(uneven(50.0, 60.0), uneven(52.0, 50.0))]).run_at


def test_on_humaneva_every_action_of_every_subject_weighs_the_same():
    def chunked(first, second):
        recordings = {f"S1 Walking 1 chunk{i}": first for i in range(3)} | {"S2 Walking 1 chunk0": second}
        seed = {"action_mean": {"mpjpe": (first + second) / 2}, "per_recording": {"mpjpe": recordings}}
        return Run("r", {}, {"seeds": [seed], "role": "humaneva"})

    found = claims.gap(chunked(50.0, 54.0), chunked(50.0, 50.0), "mpjpe")
    # Three chunks weigh 1/6 each and lie 2 below the mean, one weighs 1/2 and lies 2 above: t(3) * 4/3.
    assert found.mean == pytest.approx(2.0) and found.high - found.mean == pytest.approx(3.1824 * 4 / 3, rel=1e-4)


def test_close_bounds_the_difference_on_both_sides():
    near, far = run("near", 50.2, 50.3, 50.1), run("far", 60.0, 60.1, 59.9)
    base = run("base", 50.0, 50.1, 49.9)
    verdict = claims.close("c", "s", [(near, base)], 0.02)
    # Welch's interval of two times three seeds with variance 0.01, as in the test of seeds above.
    half = 2.776 * np.sqrt(0.02 / 3) / 50
    shown = f"+0.4% [{0.004 - half:+.1%}, {0.004 + half:+.1%}]"
    assert (verdict.verdict, verdict.evidence) == (claims.HOLDS, f"near - base = {shown}; 2 % is allowed")
    assert claims.close("c", "s", [(far, base), (near, base)], 0.02).verdict == claims.FAILS
    assert claims.close("c", "s", [(base, far)], 0.02).verdict == claims.FAILS
    assert claims.close("c", "s", [(run("x", 40.0, 50.0, 60.0), base)], 0.02).verdict == claims.NOISE


def test_falls_ranks_errors_and_gains():
    falling, steady = ([run(f"{i}{values}", v) for i, v in enumerate(values)] for values in ((9, 8, 6, 4, 3), [5] * 5))
    assert claims.falls("c", "s", range(5), falling).verdict == "holds (one seed)"
    assert claims.falls("c", "s", range(5), falling[::-1]).verdict == "fails (one seed)"
    shuffled = [falling[i] for i in (2, 0, 4, 1, 3)]
    verdict = claims.falls("c", "s", range(5), shuffled)
    assert verdict.verdict == "within noise (one seed)" and verdict.evidence.startswith("tau = -0.20")
    # The gain of `falling` over a rival of 5 grows with it; over a rival that is always ten times as bad it does not.
    assert claims.falls("c", "s", range(5), falling, against=steady).verdict == "holds (one seed)"
    worse = [run(f"{i} worse", 10 * r.errors("mpjpe")[0]) for i, r in enumerate(falling)]
    assert claims.falls("c", "s", range(5), falling, against=worse).verdict == "within noise (one seed)"


def test_of_pck_more_is_better():
    def judged(name, value):
        shares = {f"TS{i} x": value + i for i in range(6)}
        seeds = [{"action_mean": {"pck": value}, "per_recording": {"pck": shares}, "updates": 10}]
        setting = {"frames": 3, "lr": 0.01, "what": name}
        record = {"seeds": seeds, "profile": "smoke", "role": "h36m", "setting": setting}
        return Run(name, {"method": name}, record)

    assert claims.lower("c", "s", [(judged("a", 90.0), judged("b", 80.0))], "pck").verdict == "holds (one seed)"
    assert claims.gap(judged("a", 90.0), judged("b", 80.0), "pck").mean == pytest.approx(-10)


def test_errors_below_a_view_and_runs_on_other_recordings():
    sparse = run("sparse", 50.0)
    seeds = [{"by_input_stride": {"20": summary}} for summary in sparse.record["seeds"]]
    viewed = Run("v", {"method": "v"}, {**sparse.record, "seeds": seeds}, "by_input_stride.20")
    assert viewed.errors("mpjpe") == [50.0]
    assert claims.gap(viewed, sparse, "mpjpe").mean == 0
    other = run("other", 50.0)
    other.record["seeds"][0]["per_recording"]["mpjpe"] = {"S1 jog": 1.0}
    with pytest.raises(InputError, match="same recordings"):
        claims.gap(other, sparse, "mpjpe")


def test_gaps_are_compared_and_what_one_training_gives_is_paired_by_seed():
    small, large = (run("b", 51.0), run("a", 50.0)), (run("d", 58.0), run("c", 50.0))
    verdict = claims.lower_gap("c", "s", [(small, large)])
    assert verdict.verdict == "holds (one seed)" and "(b - a) - (d - c) = -7.00" in verdict.evidence
    assert verdict.basis.endswith(", one pair of gaps")
    assert claims.lower_gap("c", "s", [(large, small)]).verdict == "fails (one seed)"
    # Seeds far apart, two views of each 1 mm apart: as two trainings that would be noise.
    both = [run("same", *(error + off for error in (40.0, 50.0, 60.0))) for off in (0.0, 1.0)]
    assert claims.lower("c", "s", [tuple(both)]).verdict == claims.HOLDS
    # By 2 of 100 and by 2 of 50: as many millimetres, but half the share.
    relative = [(run("e", 102.0), run("f", 100.0)), (run("g", 52.0), run("h", 50.0))]
    judged = claims.lower_gap("c", "s", [relative], relative=True)
    assert judged.verdict == "holds (one seed)" and "(e - f) - (g - h) = -2.00 percentage points [" in judged.evidence
    # Four trainings of three seeds with variance 0.01: half width t(8) * sqrt(4 * 0.01 / 3).
    terms = [(run(name, 49.9, 50.0, 50.1), weight) for name, weight in zip("abcd", (1, -1, -1, 1), strict=True)]
    found = claims.contrast(terms, "mpjpe")
    assert found.mean == pytest.approx(0) and found.high == pytest.approx(2.306 * np.sqrt(0.04 / 3), rel=1e-3)
