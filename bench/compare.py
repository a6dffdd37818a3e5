#!/usr/bin/env python3
"""Times whole training steps beside each other, and says how sure the ratio is.

    bench/compare.py pytorch --python PYTHON   Gatun beside PyTorch + peft: the same random GPT-2, rows, start adapter
                                               and optimizer; PYTHON has torch, transformers and peft
    bench/compare.py dropout                   plain LoRA beside HiddenKey- and HiddenKey, all in Gatun

Each contestant is a process that stays alive and makes one step when it is asked to, so only one computes at a time. After
the warm-up they take turns, a few steps each, in rounds that run forwards and backwards by turns. A figure is the median
of a contestant's rounds; a ratio has a 95 % interval by bootstrap over the rounds. With PyTorch the losses of all steps,
warm-up included, must agree first. The results go to bench/results/. Needs Linux for the peak memory, and nothing else.
"""

import argparse
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TOLERANCE = {"f32": 1e-3, "bf16": 2e-2}
PAUSE = 0.05  # seconds in which the threads of the last contestant fall asleep
BATCHES = 8  # different batches, used again and again
RESAMPLES = 10_000


class Contestant:
    """A worker process and the times and losses of its steps."""

    def __init__(self, name, command, settings):
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.losses = []
        self.divergences = []
        self.rounds = []  # median seconds of each
        self.about = self.ask(json.dumps(settings))

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        reply = self.process.stdout.readline()
        if not reply:
            sys.exit(f"{self.name}: ended with exit status {self.process.wait()}")
        return json.loads(reply)

    def step(self):
        start = time.perf_counter()
        reply = self.ask("step")
        seconds = time.perf_counter() - start
        self.losses.append(reply["loss"])
        self.divergences.append(reply["divergence"])
        return seconds

    def round(self, steps):
        time.sleep(PAUSE)
        self.rounds.append(statistics.median(self.step() for _ in range(steps)))

    def peak_memory(self):
        """VmHWM in bytes: the most that was resident at once, mapped files included."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(status.split("VmHWM:")[1].split()[0])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def ratio(rounds, baseline):
    """The ratio of the medians and its 95 % interval, by drawing the rounds again with replacement."""
    draw = random.Random(1)
    pairs = list(zip(rounds, baseline))

    def of(sample):
        return statistics.median(a for a, _ in sample) / statistics.median(b for _, b in sample)

    drawn = sorted(of(draw.choices(pairs, k=len(pairs))) for _ in range(RESAMPLES))
    return of(pairs), drawn[int(0.025 * RESAMPLES)], drawn[int(0.975 * RESAMPLES)]


def race(contestants, options, check):
    """Warms all up, then lets them take turns; `check` sees the losses after each round."""
    for contestant in contestants:
        for _ in range(options.warmup):
            contestant.step()
    check(contestants)
    for turn in range(options.pairs):
        order = contestants if turn % 2 == 0 else contestants[::-1]
        for contestant in order:
            contestant.round(options.steps)
        check(contestants)
        progress = ", ".join(f"{c.name} {1e3 * c.rounds[-1]:.1f} ms" for c in contestants)
        print(f"round {turn + 1} of {options.pairs}: {progress}", file=sys.stderr)


def equal_losses(tolerance):
    def check(contestants):
        first, second = contestants
        for step, (a, b) in enumerate(zip(first.losses, second.losses)):
            if not abs(a - b) <= tolerance:
                sys.exit(
                    f"step {step + 1}: {first.name} has loss {a:.6f} and {second.name} {b:.6f}, "
                    f"expected a difference of at most {tolerance}"
                )

    return check


def dropout_is_on(contestants):
    """Losses that are finite, and masks and a divergence where they belong."""
    plain, minus, both = contestants
    for contestant in contestants:
        for step, loss in enumerate(contestant.losses):
            if not loss < float("inf"):
                sys.exit(f"{contestant.name}: step {step + 1} has loss {loss}, expected a number")
    if plain.losses[0] == minus.losses[0] or minus.losses[0] != both.losses[0]:
        sys.exit(
            f"first losses: found {plain.losses[0]}, {minus.losses[0]} and {both.losses[0]}, "
            "expected the last two alone to be equal"
        )
    if not min(both.divergences) > 0:
        sys.exit(f"{both.name}: found a step without divergence")


def table(contestants, options, length):
    baseline = contestants[0]
    tokens = options.batch * length
    rows = []
    print(f"{'':18}{'ms/step':>10}{'tokens/s':>10}{'peak RSS':>12}{'ratio':>8}   95 % interval")
    for contestant in contestants:
        seconds = statistics.median(contestant.rounds)
        value, low, high = ratio(contestant.rounds, baseline.rounds)
        memory = contestant.peak_memory()
        print(
            f"{contestant.name:18}{1e3 * seconds:10.1f}{tokens / seconds:10.0f}{memory / 2**20:8.0f} MiB"
            + ("" if contestant is baseline else f"{value:8.3f}   {low:.3f} .. {high:.3f}")
        )
        rows.append(
            {
                "name": contestant.name,
                "about": contestant.about,
                "median_seconds": seconds,
                "tokens_per_second": tokens / seconds,
                "peak_rss_bytes": memory,
                "ratio": value,
                "ratio_95": [low, high],
                "round_seconds": contestant.rounds,
                "losses": contestant.losses,
                "divergences": contestant.divergences,
            }
        )
    return rows


def machine():
    cpu = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        cpu.setdefault(key.strip(), value.strip())
    flags = cpu.get("flags", "").split()
    return {
        "cpu": cpu.get("model name", platform.processor()),
        "family": cpu.get("cpu family"),
        "cores": len(os.sched_getaffinity(0)),
        "avx512bw": "avx512bw" in flags,
        "avx512_bf16": "avx512_bf16" in flags,
        "amx_bf16": "amx_bf16" in flags,
    }


def commit():
    def git(*arguments):
        done = subprocess.run(["git", *arguments], cwd=HERE, capture_output=True, text=True)
        return done.stdout.strip()

    return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "..", ":!results") else "")


def save(name, options, sizes, results):
    if options.tiny:
        return
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    given = {k: v for k, v in vars(options).items() if k not in ("python", "model", "run", "tiny")}
    record = {
        "commit": commit(),
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "options": given,
        "model": sizes,
        "results": results,
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(f"written: {path.relative_to(HERE.parent)}", file=sys.stderr)


def write_rows(path, count, length, vocabulary):
    draw = random.Random(1)
    with open(path, "w") as file:
        for _ in range(count):
            file.write(json.dumps({"input_ids": [draw.randrange(vocabulary) for _ in range(length)]}) + "\n")


def model_sizes(options):
    small = {"layers": 2, "width": 64, "heads": 4, "vocabulary": 512, "positions": 1024}
    gpt2 = {"layers": 12, "width": 768, "heads": 12, "vocabulary": 50257, "positions": 1024}
    return small if options.tiny else gpt2


def gatun_command():
    return [str(HERE / "run.sh"), "steps"]


def pytorch(options, work):
    for dtype in options.dtypes.split(","):
        folder = work / dtype
        folder.mkdir()
        sizes = model_sizes(options) | {"rank": options.rank, "dtype": dtype}
        worker = [options.python, str(HERE / "pytorch_steps.py")]
        subprocess.run([*worker, "make", str(folder), json.dumps(sizes)], check=True)
        write_rows(folder / "rows.jsonl", BATCHES * options.batch, options.length, sizes["vocabulary"])
        settings = settings_of(options, folder / "model", folder / "rows.jsonl", dtype)
        settings["adapter"] = str(folder / "adapter")
        contestants = [
            Contestant("PyTorch + peft", [*worker, "steps"], settings),
            Contestant("Gatun", gatun_command(), settings),
        ]
        trained = [c.about["trained"] for c in contestants]
        if trained[0] != trained[1]:
            sys.exit(f"trained parameters: found {trained[0]} and {trained[1]}, expected the same")
        race(contestants, options, equal_losses(TOLERANCE[dtype]))
        losses = [c.losses for c in contestants]
        apart = max(abs(a - b) for a, b in zip(*losses))
        print(
            f"\nGPT-2 shape, {dtype}, batch {options.batch} x {options.length}, {options.threads} threads; "
            f"{len(losses[0])} losses from {losses[0][0]:.4f} to {losses[0][-1]:.4f}, at most {apart:.1e} apart"
        )
        results = table(contestants, options, options.length)
        save(f"pytorch-{dtype}", options, sizes, results)
        for contestant in contestants:
            contestant.close()


def dropout(options, work):
    for length in map(int, options.lengths.split(",")):
        if options.model:
            model = pathlib.Path(options.model)
            config = json.loads((model / "config.json").read_text())
            sizes = {k: v for k, v in config.items() if isinstance(v, (int, str))}
            vocabulary = config["vocab_size"]
        else:
            model = work / "model"
            model.mkdir(exist_ok=True)
            sizes = model_sizes(options)
            vocabulary = sizes["vocabulary"]
            config = {
                "model_type": "gpt2",
                "vocab_size": vocabulary,
                "n_positions": sizes["positions"],
                "n_embd": sizes["width"],
                "n_layer": sizes["layers"],
                "n_head": sizes["heads"],
            }
            (model / "config.json").write_text(json.dumps(config))
        rows = work / f"rows-{length}.jsonl"
        write_rows(rows, BATCHES * options.batch, length, vocabulary)
        settings = settings_of(options, model, rows, options.dtype) | {"fresh": not options.model}
        contestants = [
            Contestant(name, gatun_command(), settings | {"dropout": name, "rate": options.rate})
            for name in ("none", "hiddenkey-minus", "hiddenkey")
        ]
        race(contestants, options, dropout_is_on)
        print(
            f"\n{config['model_type']}, {options.dtype}, batch {options.batch} x {length}, p = {options.rate}, "
            f"{options.threads} threads; ratios to no dropout"
        )
        results = table(contestants, options, length)
        save(f"dropout-{config['model_type']}-{options.dtype}-{length}", options, sizes, results)
        for contestant in contestants:
            contestant.close()


def settings_of(options, model, rows, dtype):
    return {
        "model": str(model),
        "fresh": False,
        "adapter": None,
        "rows": str(rows),
        "batch": options.batch,
        "dtype": dtype,
        "dropout": "none",
        "rate": 0.0,
        "learningRate": options.lr,
        "maxGradNorm": 1.0,
        "threads": options.threads,
    }


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--pairs", type=int, default=15, help="rounds (default 15)")
    shared.add_argument("--steps", type=int, default=3, help="steps of each in a round (default 3)")
    shared.add_argument("--warmup", type=int, default=8, help="steps before the first round (default 8)")
    shared.add_argument("--threads", type=int, default=2)
    shared.add_argument("--batch", type=int, default=4)
    shared.add_argument("--lr", type=float, default=2e-4)
    shared.add_argument("--tiny", action="store_true", help="a tiny model, to try the script out; nothing is written")
    verbs = parser.add_subparsers(required=True)
    with_pytorch = verbs.add_parser("pytorch", parents=[shared])
    with_pytorch.add_argument("--python", required=True)
    with_pytorch.add_argument("--dtypes", default="f32,bf16")
    with_pytorch.add_argument("--length", type=int, default=128)
    with_pytorch.add_argument("--rank", type=int, default=8)
    with_pytorch.set_defaults(run=pytorch)
    with_dropout = verbs.add_parser("dropout", parents=[shared])
    with_dropout.add_argument("--model", help="model directory; default: a random GPT-2 small")
    with_dropout.add_argument("--lengths", default="128,512")
    with_dropout.add_argument("--dtype", default="f32")
    with_dropout.add_argument("--rate", type=float, default=0.1)
    with_dropout.set_defaults(run=dropout)
    return parser.parse_args()


if __name__ == "__main__":
    chosen = arguments()
    with tempfile.TemporaryDirectory() as folder:
        chosen.run(chosen, pathlib.Path(folder))
