"""Stage report: the scoreboard of claims, the ledger, and the block of the README that shows them."""

import re
from pathlib import Path

from poselib.experiments import load_parameters
from poselib.files import write_whole
from poselib.ledger import divergences
from poselib.scoreboard import front_page, scoreboard, tally
from poselib.tables import markdown


def run(root: Path) -> None:
    """Write <results>/README.md and divergences.md, and the block of the front page that belongs to these results."""
    results = load_parameters(root).results
    board, summary = scoreboard(root, results), tally(root, results)
    write_whole(root / results / "README.md", f"# Results\n\n{summary}\n\n{markdown(board)}\n")
    ledger = markdown(divergences(root))
    about = "Where paper and released code differ, what is done here, and what it changes."
    write_whole(root / results / "divergences.md", f"# Divergence ledger\n\n{about}\n\n{ledger}\n")
    block = f"{summary}\n\n{markdown(front_page(root, results))}\n\n"
    block += f"Sentences, numbers and intervals behind each: [{results}/README.md]({results}/README.md).\n"
    between = re.compile(rf"(<!-- scoreboard of {results} -->\n).*?(<!-- end of scoreboard -->)", re.DOTALL)
    readme = root / "README.md"
    write_whole(readme, between.sub(lambda match: match[1] + block + match[2], readme.read_text()))
