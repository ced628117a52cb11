"""The printed result: one line for every goal, as a table that Markdown also reads."""
from measure import Spread, times

HEADER = ["#", "What", "Belay", "Against", "Ratio: median [min..max]", "Of minima", "Goal", "Met"]


class Line:
    """One goal and what was reached."""

    def __init__(self, row, what, ours, against, reached, minima, goal, met):
        self.cells = [row, what, ours, against, reached, minima, goal, {True: "yes", False: "NO", None: "–"}[met]]
        self.met = met


def ratio(row, what, ours, against, goal=None, field=None):
    """A line for a ratio of two contenders, of another one's `field` if that is given; without a goal it only informs."""
    spread = Spread.ratio(ours.times(), against.times(field))
    minima = min(ours.times()) / min(against.times(field))
    digits = 2 if spread.median >= 0.1 else 3
    return Line(
        row, what, times(ours), f"{against.name}: {times(against, field)}", spread.text(digits), f"{minima:.{digits}f}",
        f"≤ {goal}" if goal else "–", spread.median <= goal if goal else None)


def render(lines):
    rows = [HEADER] + [line.cells for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    def text(row):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
    return "\n".join([text(rows[0]), "|" + "|".join("-" * (width + 2) for width in widths) + "|"] + [text(row) for row in rows[1:]])
