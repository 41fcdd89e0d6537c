from pathlib import Path

from poselib.scoreboard import front_page, scoreboard

ROOT = Path(__file__).resolve().parent.parent
RESULTS = "results/laptop-cmu"


def test_the_front_page_names_every_judged_claim_once_under_its_outcome():
    board, front = scoreboard(ROOT, RESULTS), front_page(ROOT, RESULTS)
    assert len(board) > 15 and len(front) == board["table"].nunique()
    shown = {
        (row["table"].replace(f"{RESULTS}/", ""), claim): outcome
        for row in front.to_dict("records")
        for outcome in front.columns[1:]
        for claim in filter(None, row[outcome].split("; "))
    }
    said = {(row.table, row.claim): row.verdict.removesuffix(" (one seed)") for row in board.itertuples()}
    assert shown == said
