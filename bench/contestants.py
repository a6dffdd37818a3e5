"""Processes that take turns, and how sure the figures are.

A contestant is a worker process that stays alive and makes one unit of work when it is asked to, so that only one computes
at a time. After the warm-up they take turns, a few units each, in rounds that run forwards and backwards by turns. The first
unit of a turn does not count: the caches are another's, and the system may have taken memory that lay idle. A figure is the
median of a contestant's rounds; intervals are of 95 % by bootstrap over the rounds.
"""

import json
import pathlib
import random
import statistics
import subprocess
import sys
import time

PAUSE = 0.05  # seconds in which the threads of the last contestant fall asleep
RESAMPLES = 2_000


class Failed(Exception):
    """A contestant that could not go on; says why."""


class Times:
    """What the work of one name took."""

    def __init__(self, name, about=None):
        self.name = name
        self.about = about
        self.rounds = []  # median seconds of each
        self.peak = None


class Turns(Times):
    """Something that works when it is asked to."""

    def round(self, units):
        time.sleep(PAUSE)
        self.unit()
        self.rounds.append(statistics.median(self.unit() for _ in range(units)))


class Contestant(Turns):
    """A worker process, the answers to its units of work and their times."""

    def __init__(self, name, command, settings):
        super().__init__(name)
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        self.answers = []
        try:
            self.about = self.ask(json.dumps(settings))
        except BrokenPipeError:
            self.fail()
        self.ready_seconds = time.perf_counter() - begun

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self):
        while reply := self.process.stdout.readline():
            if reply.startswith("{"):  # libraries print, too
                return json.loads(reply)
        self.fail()

    def fail(self):
        lines = [line for line in self.process.stderr.read().splitlines() if line.strip()]
        raise Failed(f"{self.name}: exit status {self.process.wait()}: {lines[-1] if lines else 'no message'}")

    def unit(self):
        start = time.perf_counter()
        self.answers.append(self.ask("next"))
        return time.perf_counter() - start

    def memory(self, key):
        """A figure of the process in bytes: VmHWM is the most that was resident at once, mapped files included."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(status.split(key + ":")[1].split()[0])

    def close(self):
        """Ends the process; keeps its peak memory and what it wrote after its last unit."""
        self.peak = self.memory("VmHWM")
        self.process.stdin.close()
        self.last_words = [json.loads(line) for line in self.process.stdout if line.startswith("{")]
        self.process.stderr.close()
        self.process.wait()


class LlamaBench(Turns):
    """llama.cpp's own benchmark: each unit is a run, of which the measured part counts."""

    def __init__(self, command, model, threads, *work):
        super().__init__("llama.cpp")
        self.command = [command, "-m", str(model), "-t", str(threads), "-r", "1", "-o", "json", *map(str, work)]
        self.answers = []  # it does not say which tokens it made

    def unit(self):
        done = subprocess.run(self.command, capture_output=True, text=True, check=True)
        (found,) = json.loads(done.stdout)
        self.about = {"library": f"llama.cpp {found['build_commit']}"}
        return found["avg_ns"] / 1e9

    def close(self):
        pass


def started(starts):
    """Starts each of (name, command, settings, needed); one that is not needed may fail, which is told and returned."""
    contestants, failures = [], []
    for name, command, settings, needed in starts:
        try:
            contestant = Contestant(name, command, settings)
            contestant.unit()  # some fail in their first step only
            contestants.append(contestant)
        except Failed as failure:
            if needed:
                sys.exit(str(failure))
            print(f"left out: {failure}", file=sys.stderr)
            failures.append(str(failure))
    return contestants, failures


def race(contestants, warmup, rounds, units, check=lambda contestants: None):
    """Warms all up, lets them take turns and closes them; `check` sees all answers after each round."""
    for contestant in contestants:
        for _ in range(warmup):
            contestant.unit()
    check(contestants)
    for turn in range(rounds):
        order = contestants if turn % 2 == 0 else contestants[::-1]
        for contestant in order:
            contestant.round(units)
        check(contestants)
        progress = ", ".join(f"{c.name} {1e3 * c.rounds[-1]:.1f} ms" for c in contestants)
        print(f"  round {turn + 1} of {rounds}: {progress}", file=sys.stderr)
    for contestant in contestants:
        contestant.close()


def median_of(rounds):
    """The median of the rounds and its interval."""
    return bootstrap(lambda sample: statistics.median(a for a, _ in sample), rounds, rounds)


def ratio_of(rounds, others):
    """How often the median of the rounds goes into that of the others, and its interval: the others' time over ours."""

    def of(sample):
        return statistics.median(b for _, b in sample) / statistics.median(a for a, _ in sample)

    return bootstrap(of, rounds, others)


def bootstrap(of, rounds, others):
    draw = random.Random(1)
    pairs = list(zip(rounds, others))
    drawn = sorted(of(draw.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    return of(pairs), drawn[int(0.025 * RESAMPLES)], drawn[int(0.975 * RESAMPLES)]
