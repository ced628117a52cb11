"""Interleaved rounds, and what is to be said of them."""
import statistics
import subprocess


class Contender:
    """A command that is run once a round and says on its last line how long its work took, in nanoseconds."""

    def __init__(self, name, command, environment=None, field=None):
        """With `field`, the line's numbers are different times, that one counts, and the last is an exit code.

        Without, they are repetitions, of which the median counts.
        """
        self.name = name
        self.command = [str(word) for word in command]
        self.environment = environment
        self.field = field
        self.lines = []

    def run(self):
        done = subprocess.run(self.command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        lines = done.stdout.split("\n")
        if done.returncode != 0 or not done.stdout.strip():
            raise SystemExit(f"{self.name}: {' '.join(self.command)} ended with {done.returncode}\n{done.stderr[-2000:]}")
        numbers = [int(word) for word in lines[-2].split()]
        if self.field is not None and numbers[-1] != 0:
            raise SystemExit(f"{self.name}: {' '.join(self.command)} ended with {numbers[-1]}\n{done.stderr[-2000:]}")
        self.lines.append(numbers)

    def times(self, field=None):
        """One number a round."""
        field = self.field if field is None else field
        return [statistics.median(numbers) if field is None else numbers[field] for numbers in self.lines]


def stopwatch(floor, name, command, environment=None):
    """A whole process, measured from its start to its end. Fails the run when the process does."""
    return Contender(name, [floor, "time", *command], environment, field=0)


def rounds(contenders, count):
    """Runs all of them `count` times, one after the other, each round in another order; one unmeasured round goes first."""
    for contender in contenders:
        contender.run()
        contender.lines.clear()
    for number in range(count):
        start = number % len(contenders)
        for contender in contenders[start:] + contenders[:start]:
            contender.run()


class Spread:
    """Median, minimum and maximum over the rounds."""

    def __init__(self, values):
        self.median, self.least, self.most = statistics.median(values), min(values), max(values)

    @staticmethod
    def ratio(ours, others):
        """Of two times of each round, so that what slows the machine down for a while slows both."""
        return Spread([mine / theirs for mine, theirs in zip(ours, others)])

    def text(self, digits=2):
        return f"{self.median:.{digits}f} [{self.least:.{digits}f}..{self.most:.{digits}f}]"


def duration(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}" if nanoseconds < 1000 * size else f"{nanoseconds / size:.0f} {unit}"
    return f"{nanoseconds:.3g} ns"


def times(contender, field=None):
    """`median (minimum)`."""
    spread = Spread(contender.times(field))
    return f"{duration(spread.median)} (min {duration(spread.least)})"
