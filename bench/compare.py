#!/usr/bin/env python3
"""Measures Gatun beside its peers and beside what the machine can do, and writes table, JSON and HTML.

    bench/compare.py                     all that needs no peer: dropout's price, cost growth, the profile of a step
    bench/compare.py --python PYTHON     all of it; PYTHON has torch, transformers and peft, and maybe trl and datasets
    bench/compare.py ... train decode    some sections only

Sections: train, methods, full, eval, prefill, decode, serve, start, map, switch, small, growth, profile. Before a speed counts, the work
must have been the same: equal losses, equal tokens. A section with a peer needs --python; TRL, torch.compile, a C++ compiler,
llama.cpp and JavaCPP are used where they are, and said to be left out where they fail. What is measured how is in contestants.py.

Results go to bench/results/suite.json and suite.html, and with --readme into README.md; a section that is run alone replaces
its part, but one without peers none that had them. With --check nothing is written, and no ratio may have fallen behind
that of the last suite.json. Needs Linux for the peak memory, and nothing else.
"""

import argparse
import json
import os
import pathlib
import platform
import random
import subprocess
import sys
import tempfile
import time

import costs
import report
import small
from contestants import Contestant, Failed, LlamaBench, Times, median_of, race, ratio_of, started

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / "results"
RECORD = RESULTS / "suite.json"
TOLERANCE = {"f32": 1e-3, "bf16": 2e-2}
BATCHES = 8  # different batches, used again and again
PEER = "PyTorch + peft"
MINUS = "Gatun, HiddenKey⁻"
KL = "Gatun, HiddenKey"
# What a method costs over plain LoRA; see --dropout of gatun finetune.
METHODS = {
    "DropKey, columns": ("dropkey:p=0.1", ("<=", 1.03)),
    "DropKey, elements": ("key-element@0.1", ("<=", 1.1)),
    "HiddenCut, elements": ("hiddencut:p=0.1", ("<=", 1.1)),
    "HiddenKey⁻ over all layers": ("hiddenkey-minus:p=0.1,layers=all", None),
    "HiddenKey": ("hiddenkey:p=0.1", ("<=", 1.35)),
    "HiddenKey⁻ + JS": ("hiddenkey:p=0.1,loss=js", None),
    "DropAttention, columns": ("dropattention:p=0.1", None),
    "LoRA Dropout, 4 instances": ("lora-dropout:p=0.3,n=4", ("<=", 4.0)),
}
SHAPES = {
    "GPT-2 124M": {"type": "gpt2", "layers": 12, "width": 768, "inner": 3072, "heads": 12, "vocabulary": 50257}
    | {"positions": 1024, "rank": 8, "targets": ["c_attn"]},
    "Llama 124M": {"type": "llama", "layers": 12, "width": 768, "inner": 2048, "heads": 12, "vocabulary": 50257}
    | {"positions": 1024, "rank": 8, "targets": ["q_proj", "v_proj"]},
}
# The sizes' names in config.json.
CONFIG = {
    "gpt2": {"n_layer": "layers", "n_embd": "width", "n_head": "heads", "vocab_size": "vocabulary", "n_positions": "positions"},
    "llama": {"num_hidden_layers": "layers", "hidden_size": "width", "intermediate_size": "inner"}
    | {"num_attention_heads": "heads", "vocab_size": "vocabulary", "max_position_embeddings": "positions"},
}
TINY = {"layers": 2, "width": 64, "inner": 256, "heads": 4, "vocabulary": 512}
REGRESSION = 0.1  # a ratio that is worse by more than this, and outside of the recorded interval, fails --check


class Suite:
    """A section's options, the models made so far, and what it found."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.races = []
        self.claims = []
        self.left_out = []
        self.profiles = []
        self.growth = []

    def say(self, text):
        print(text, file=sys.stderr)

    # --- models and rows

    def sizes(self, shape):
        return SHAPES[shape] | (TINY if self.options.tiny else {})

    def model(self, shape, dtype):
        """A random model with two adapters, made once."""
        sizes = self.sizes(shape)
        folder = self.folder / f"{sizes['type']}-{dtype}"
        if not folder.exists():
            folder.mkdir()
            make = [self.options.python, str(HERE / "peers/pytorch.py"), "make", str(folder)]
            subprocess.run([*make, json.dumps(sizes | {"dtype": dtype})], check=True, stderr=subprocess.DEVNULL)
        return folder, sizes

    def fresh(self, sizes):
        """A directory with a config alone."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        names = CONFIG[sizes["type"]]
        config = {name: sizes[size] for name, size in names.items()} | {"model_type": sizes["type"]}
        (folder / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": True}))
        return folder

    def rows(self, count, length, vocabulary):
        path = self.folder / f"rows-{count}-{length}-{vocabulary}.jsonl"
        draw = random.Random(1)
        with open(path, "w") as file:
            for _ in range(count):
                file.write(json.dumps({"input_ids": [draw.randrange(vocabulary) for _ in range(length)]}) + "\n")
        return path

    # --- contestants

    def settings(self, task, model=None, rows=None, dtype="f32", **others):
        return {
            "task": task,
            "engine": "eager",
            "model": None if model is None else str(model),
            "fresh": False,
            "adapters": [],
            "newAdapters": 0,
            "rank": 8,
            "rows": None if rows is None else str(rows),
            "batch": self.options.batch,
            "dtype": dtype,
            "dropout": "none",
            "learningRate": 2e-4,
            "maxGradNorm": 1.0,
            "newTokens": 1,
            "threads": self.options.threads,
            "profiled": False,
        } | others

    def lora_step(self, shape, dtype):
        """Settings of plain LoRA steps, and the sizes: without --python new adapters on all layers of random weights."""
        options, sizes = self.options, self.sizes(shape)
        rows = self.rows(BATCHES * options.batch, options.length, sizes["vocabulary"])
        if not options.python:
            settings = self.settings("TRAIN", self.fresh(sizes), rows, dtype, fresh=True, newAdapters=1)
            return settings, sizes | {"targets": "all"}
        model, _ = self.model(shape, dtype)
        return self.settings("TRAIN", model / "model", rows, dtype, adapters=[str(model / "adapter-1")]), sizes

    def gatun(self, settings, name="Gatun", **others):
        return name, [str(HERE / "run.sh"), "worker"], settings | others, True

    def python(self, settings, name=PEER, engine="eager"):
        command = [self.options.python, str(HERE / "peers/pytorch.py"), "work"]
        return name, command, settings | {"engine": engine}, engine == "eager"

    def llama(self, model, sizes, *work):
        """llama.cpp's contestant, where it was given and the model is one of its kind."""
        if not self.options.llama_bench or sizes["type"] != "llama":
            return []
        file = model / "model.gguf"
        if not file.exists():
            command = [self.options.python, str(HERE / "peers/pytorch.py"), "gguf", str(model / "model"), str(file)]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        return [LlamaBench(self.options.llama_bench, file, self.options.threads, *work)]

    def run(self, starts, check=lambda contestants: None, warmup=None, rounds=None, units=None, others=()):
        options = self.options
        contestants, failures = started(starts)
        contestants[:0] = others
        self.left_out += failures
        race(contestants, warmup or options.warmup, rounds or options.rounds, units or options.units, check)
        return contestants

    # --- what was found

    def found(self, rates):
        for claim in self.claims:
            claim["share"] = costs.share(claim["cost"], claim["seconds"], rates)
        keys = ("claims", "races", "growth", "profiles", "left_out")
        return {"rates": rates} | {key: vars(self)[key] for key in keys}

    def record(self, title, contestants, unit, tokens=0, cost=None, equal=""):
        """Keeps a race; `cost` is that of a unit of work, see costs.py."""
        entries = []
        for c in contestants:
            seconds, low, high = median_of(c.rounds)
            entry = {"name": c.name, "library": c.about and c.about["library"], "seconds": seconds, "interval": [low, high]}
            entry |= {"rounds": c.rounds, "peak_rss_bytes": c.peak}
            if tokens:
                entry["tokens_per_second"] = tokens / seconds
            entries.append(entry)
        record = {"title": title, "unit": unit, "equal": equal, "entries": entries}
        if cost:
            record["cost"] = cost
        self.races.append(record)
        return {c.name: (c, e) for c, e in zip(contestants, entries)}

    def faster(self, what, ours, theirs, goal=None, cost=None):
        """Claims how many times as fast `ours` is; `cost` as in record, for the share of the machine's limit."""
        (us, entry), (them, other) = ours, theirs
        value = ratio_of(us.rounds, them.rounds)
        self.claim(what, "times as fast", value, goal, duration(other["seconds"]), duration(entry["seconds"]), cost, entry)

    def overhead(self, what, ours, plain, goal=None):
        (us, entry), (them, other) = ours, plain
        value = ratio_of(them.rounds, us.rounds)
        self.claim(what, "times the plain step", value, goal, duration(other["seconds"]), duration(entry["seconds"]))

    def lighter(self, what, ours, theirs, goal=None):
        mine, others = ours[1]["peak_rss_bytes"], theirs[1]["peak_rss_bytes"]
        value = mine / others
        self.claim(what, "of the peer's memory", (value, value, value), goal, mib(others), mib(mine))

    def claim(self, what, meaning, value, goal, theirs, ours, cost=None, entry=None):
        self.claims.append(
            {
                "what": what,
                "meaning": meaning,
                "value": value[0],
                "interval": list(value[1:]),
                "goal": goal,
                "met": None if goal is None else meets(value[0], goal),
                "theirs": theirs,
                "ours": ours,
                "cost": cost,
                "seconds": entry and entry["seconds"],
            }
        )
        self.say("  " + report.sentence(self.claims[-1]))


def best(*rates):
    return {key: max(each[key] for each in rates) for key in ("f32", "bf16", "read")}


def meets(value, goal):
    sign, limit = goal
    return value >= limit if sign == ">=" else value <= limit


def duration(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{1e9 * seconds:.0f} ns"


def mib(size):
    return f"{size / 2**20:,.0f} MiB"


# --- checks


def equal_losses(tolerance, names=None):
    """All contestants, or those of these names, have the same loss at each step."""

    def check(contestants):
        chosen = [c for c in contestants if names is None or c.name in names]
        first = chosen[0]
        for other in chosen[1:]:
            for step, (a, b) in enumerate(zip(first.answers, other.answers)):
                if not abs(a["loss"] - b["loss"]) <= tolerance:
                    sys.exit(
                        f"step {step + 1}: {first.name} has loss {a['loss']:.6f} and {other.name} {b['loss']:.6f}, "
                        f"expected a difference of at most {tolerance}"
                    )

    return check


def dropout_is_on(contestants):
    """Losses that are finite, and masks and a divergence where they belong."""
    plain, minus, both = (next(c for c in contestants if c.name == name) for name in ("Gatun", MINUS, KL))
    for contestant in (minus, both):
        for step, answer in enumerate(contestant.answers):
            if not answer["loss"] < float("inf"):
                sys.exit(f"{contestant.name}: step {step + 1} has loss {answer['loss']}, expected a number")
    firsts = [c.answers[0]["loss"] for c in (plain, minus, both)]
    close = [abs(loss - firsts[2]) <= 1e-5 * firsts[2] for loss in firsts]
    if close != [False, True, True]:
        sys.exit(f"first losses: found {firsts}, expected the last two alone to be equal")
    if not min(a["divergence"] for a in both.answers) > 0:
        sys.exit(f"{both.name}: found a step without divergence")


def equal_ids(prefix):
    """The first tokens are the same, and as many are made."""

    def check(contestants):
        first, *others = [c for c in contestants if c.answers]
        for other in others:
            for a, b in zip(first.answers, other.answers):
                if len(a["ids"]) != len(b["ids"]) or a["ids"][:prefix] != b["ids"][:prefix]:
                    sys.exit(f"tokens: {first.name} made {a['ids']} and {other.name} {b['ids']}, expected the same")

    return check


def apart(contestants, names):
    losses = [[a["loss"] for a in c.answers] for c in contestants if c.name in names]
    worst = max(max(step) - min(step) for step in zip(*losses))
    return f"{min(map(len, losses))} losses, at most {worst:.1e} apart"


# --- sections


def machine(options):
    """What the machine can do now; the better of before and after a section is its limit."""
    suite = Suite(options, None)
    worker = Contestant(*suite.gatun(suite.settings("MACHINE"))[:3])
    worker.unit()
    worker.close()
    suite.say(f"  the machine: {report.rates(worker.answers[0])}")
    return worker.answers[0]


def train(suite):
    """LoRA steps, and HiddenKey's beside them."""
    options = suite.options
    for shape, dtype in options.models:
        suite.say(f"LoRA step, {shape}, {dtype}")
        plain, sizes = suite.lora_step(shape, dtype)
        starts = [suite.gatun(plain)]
        starts += [suite.gatun(plain, MINUS, dropout="hiddenkey-minus"), suite.gatun(plain, KL, dropout="hiddenkey")]
        same = ["Gatun"]
        if options.python:
            engines = [(PEER, "eager")]
            if shape == list(SHAPES)[0]:  # once is enough: these take minutes
                engines += [("TRL SFTTrainer", "trl"), ("torch.compile", "compile")]
            starts = [suite.python(plain, name, engine) for name, engine in engines] + starts
            same += [name for name, _ in engines]

        def check(contestants):
            equal_losses(TOLERANCE[dtype], same)(contestants)
            dropout_is_on(contestants)

        contestants = suite.run(starts, check)
        trained = {c.about["trained"] for c in contestants}
        if len(trained) != 1:
            sys.exit(f"trained parameters: found {trained}, expected the same of all")
        cost = costs.lora_step(sizes, options.batch, options.length, dtype)
        tokens = options.batch * options.length
        title = f"LoRA step, {shape}, {dtype}, batch {options.batch} x {options.length}, r={sizes['rank']}"
        by = suite.record(title, contestants, "step", tokens, cost, apart(contestants, same))
        what = f"{shape}, {dtype}"
        if options.python:
            for name, _ in engines:
                if name in by:
                    goal = {"f32": (">=", 2.5), "bf16": (">=", 2.0)}[dtype] if name == PEER else None
                    suite.faster(f"LoRA step, {what}, beside {name}", by["Gatun"], by[name], goal, cost)
            suite.lighter(f"peak memory of the LoRA step, {what}", by["Gatun"], by[PEER], ("<=", 0.6))
        suite.overhead(f"HiddenKey⁻ over the plain step, {what}", by[MINUS], by["Gatun"], ("<=", 1.03))
        suite.overhead(f"HiddenKey over the plain step, {what}", by[KL], by["Gatun"], ("<=", 1.35))


def methods(suite):
    """A step of each dropout method beside the plain one, in time and in memory."""
    shape = suite.options.shapes.split(",")[0]
    for dtype in suite.options.dtypes.split(","):
        suite.say(f"dropout methods, {shape}, {dtype}")
        plain, sizes = suite.lora_step(shape, dtype)
        starts = [suite.gatun(plain)]
        starts += [suite.gatun(plain, name, dropout=text) for name, (text, _) in METHODS.items()]
        by = suite.record(
            f"LoRA step by dropout method, {shape}, {dtype}",
            suite.run(starts),
            "step",
            suite.options.batch * suite.options.length,
        )
        for name, (_, goal) in METHODS.items():
            suite.overhead(f"{name} over the plain step, {shape}, {dtype}", by[name], by["Gatun"], goal)
            memory = by[name][1]["peak_rss_bytes"] / by["Gatun"][1]["peak_rss_bytes"]
            what = f"peak memory of {name}, {shape}, {dtype}"
            suite.claim(what, "of the plain step's memory", (memory, memory, memory), None, "", "")


def full(suite):
    """Steps that train all weights."""
    shape, dtype = "GPT-2 124M", "f32"
    options = suite.options
    suite.say(f"full step, {shape}, {dtype}")
    model, sizes = suite.model(shape, dtype)
    rows = suite.rows(BATCHES * options.batch, options.length, sizes["vocabulary"])
    given = suite.settings("FULL", model / "model", rows, dtype, learningRate=1e-5)
    contestants = suite.run([suite.python(given), suite.gatun(given)], equal_losses(TOLERANCE[dtype]))
    cost = costs.full_step(sizes, options.batch, options.length, dtype)
    equal = apart(contestants, [PEER, "Gatun"])
    by = suite.record(f"full step, {shape}, {dtype}", contestants, "step", options.batch * options.length, cost, equal)
    suite.faster(f"full step, {shape}, {dtype}", by["Gatun"], by[PEER], None, cost)
    suite.lighter(f"peak memory of the full step, {shape}, {dtype}", by["Gatun"], by[PEER])


def evaluation(suite):
    """The loss of 16 rows with an adapter."""
    options = suite.options
    for shape, dtype in options.models:
        suite.say(f"evaluation, {shape}, {dtype}")
        model, sizes = suite.model(shape, dtype)
        rows = suite.rows(16, options.length, sizes["vocabulary"])
        given = suite.settings("EVAL", model / "model", rows, dtype, adapters=[str(model / "adapter-1")], batch=16)
        contestants = suite.run([suite.python(given), suite.gatun(given)], equal_losses(TOLERANCE[dtype]))
        cost = costs.forward(sizes, 16, options.length, dtype)
        title = f"evaluation, {shape}, {dtype}, 16 x {options.length}"
        equal = apart(contestants, [PEER, "Gatun"])
        by = suite.record(title, contestants, "batch", 16 * options.length, cost, equal)
        suite.faster(f"evaluation, {shape}, {dtype}", by["Gatun"], by[PEER], None, cost)


def prefill(suite):
    """A prompt of 512 tokens, to its first new token."""
    for shape, dtype in suite.options.models:
        suite.say(f"prefill, {shape}, {dtype}")
        model, sizes = suite.model(shape, dtype)
        rows = suite.rows(1, 512, sizes["vocabulary"])
        given = suite.settings("GENERATE", model / "model", rows, dtype)
        others = suite.llama(model, sizes, "-p", 512, "-n", 0)
        starts = [suite.python(given), suite.gatun(given)]
        contestants = suite.run(starts, equal_ids(1), others=others)
        cost = costs.prefill(sizes, 512, dtype)
        by = suite.record(f"prefill of 512 tokens, {shape}, {dtype}", contestants, "prompt", 512, cost)
        suite.faster(f"prefill of 512 tokens, {shape}, {dtype}", by["Gatun"], by[PEER], None, cost)
        if "llama.cpp" in by:
            suite.faster(f"prefill of 512 tokens, {shape}, {dtype}, beside llama.cpp", by["Gatun"], by["llama.cpp"])


def decode(suite):
    """Greedy tokens after a prompt of 16, one sequence."""
    new = 16 if suite.options.tiny else 64
    for shape, dtype in suite.options.models:
        suite.say(f"decoding, {shape}, {dtype}")
        model, sizes = suite.model(shape, dtype)
        rows = suite.rows(1, 16, sizes["vocabulary"])
        given = suite.settings("GENERATE", model / "model", rows, dtype, newTokens=new)
        starts = [suite.python(given, "transformers.generate"), suite.gatun(given)]
        others = suite.llama(model, sizes, "-p", 0, "-n", new)
        contestants = suite.run(starts, equal_ids(new if dtype == "f32" else 1), others=others)
        cost = costs.decoding(sizes, 16, new, dtype)
        title = f"{new} tokens one by one, {shape}, {dtype}"
        by = suite.record(title, contestants, f"{new} tokens", new, cost)
        goal = (">=", 2.0) if dtype == "bf16" else None
        suite.faster(f"decoding, {shape}, {dtype}", by["Gatun"], by["transformers.generate"], goal, cost)
        if "llama.cpp" in by:
            suite.faster(f"decoding, {shape}, {dtype}, beside llama.cpp", by["Gatun"], by["llama.cpp"])


def serve(suite):
    """Greedy tokens of a batch: beside transformers.generate, and what adapters cost, by their number and rank."""
    shape, dtype = "GPT-2 124M", "bf16"
    new = 16 if suite.options.tiny else 64
    model, sizes = suite.model(shape, dtype)
    rows = suite.rows(16, 16, sizes["vocabulary"])
    given = suite.settings("SERVE", model / "model", rows, dtype, newTokens=new)
    for batch in (1, 8):
        suite.say(f"batch of {batch}, {shape}, {dtype}")
        wide, _ = suite.model(shape, "f32")  # in bf16 the likeliest of 50,257 ids often has an equal
        exact = given | {"model": str(wide / "model"), "dtype": "f32", "batch": batch}
        suite.run([suite.python(exact), suite.gatun(exact)], equal_ids(new), warmup=1, rounds=1, units=1)
        starts = [suite.python(given | {"batch": batch}, "transformers.generate"), suite.gatun(given | {"batch": batch})]
        starts += [suite.gatun(given, f"Gatun, {form}", batch=batch, weights=form.upper()) for form in ("stored", "int8")]
        contestants = suite.run(starts, equal_ids(0))
        by = suite.record(f"{batch} x {new} tokens, {shape}, {dtype}", contestants, "batch", batch * new)
        goal = (">=", 2.0 if batch == 1 else 3.0)
        suite.faster(f"decoding of a batch of {batch}, {shape}, {dtype}", by["Gatun"], by["transformers.generate"], goal)
        for form in ("stored", "int8"):
            what = f"a batch of {batch} over weights packed, beside {form}, {shape}, {dtype}"
            suite.faster(what, by["Gatun"], by[f"Gatun, {form}"])
    given |= {"batch": 16}
    for rank in (8, 16, 64):
        counts = (1, 4, 16) if rank == 16 else (16,)
        suite.say(f"adapters of rank {rank}, {shape}, {dtype}")
        starts = [suite.gatun(given, "no adapter")]
        starts += [suite.gatun(given, f"{count} of rank {rank}", newAdapters=count, rank=rank) for count in counts]
        contestants = suite.run(starts, units=1)
        for contestant in contestants:  # a step's time alone: the prompts' passes are left out
            kept = contestant.answers[-len(contestant.rounds) :]
            contestant.rounds = [answer["step"] for answer in kept]
        by = suite.record(f"a step of 16 sequences, adapters of rank {rank} on all layers, {shape}, {dtype}", contestants, "step", 16)
        for count in counts:
            goal = ("<=", 1.1) if (count, rank) == (16, 16) else None
            what = f"{count} adapter{'s' * (count > 1)} of rank {rank} in a batch of 16, {shape}, {dtype}"
            suite.overhead(what, by[f"{count} of rank {rank}"], by["no adapter"], goal)
        if rank == 16:
            with_adapters = [contestant for contestant in contestants if "rank" in contestant.name]
            value = median_of([answer["load"] for each in with_adapters for answer in each.answers[-len(each.rounds) :]])
            suite.claim("loading an adapter of rank 16 on all layers while a batch runs", "s", value, ("<=", 0.05), "", duration(value[0]))
    first_token(suite)


def first_token(suite):
    """From the start of `./gatun generate` to the first character of the demo model's text."""
    command = [str(HERE.parent / "gatun"), "generate", "--prompt", "public class Main {"]
    suite.say("first token of the demo model")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # builds what is not built
    seconds = []
    for _ in range(suite.options.rounds):
        begun = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
            program.stdout.read(1)
            seconds.append(time.perf_counter() - begun)
            program.stdout.read()
    value = median_of(seconds)
    suite.claim("from ./gatun generate to the demo model's first token", "s", value, ("<=", 1.0), "", duration(value[0]))


def start(suite):
    """From the start of the process to the begin of the first forward, to the end of the first step, to the first token."""
    shape, dtype = "GPT-2 124M", "f32"
    suite.say(f"start-up, {shape}, {dtype}")
    model, sizes = suite.model(shape, dtype)
    rows = suite.rows(suite.options.batch, suite.options.length, sizes["vocabulary"])
    one = [str(model / "adapter-1")]
    tasks = {
        "first step": suite.settings("TRAIN", model / "model", rows, dtype, adapters=one),
        "first token": suite.settings("GENERATE", model / "model", rows, dtype, adapters=one),
    }
    for unit, given in tasks.items():
        forwards, units = {}, {}
        for name, contestant in cold(suite, [suite.python(given), suite.gatun(given)]):
            done = contestant.ready_seconds + contestant.unit()
            for kept, seconds in ((forwards, contestant.ready_seconds), (units, done)):
                kept.setdefault(name, Times(name, contestant.about)).rounds.append(seconds)
        ends = {"begin of the first forward": forwards} if unit == "first step" else {}
        for end, times in (ends | {f"end of the {unit}": units}).items():
            title = f"start of the process to the {end}"
            by = suite.record(f"{title}, {shape}, {dtype}", list(times.values()), "start")
            suite.faster(title, by["Gatun"], by[PEER])
            if times is forwards:
                ours = median_of(forwards["Gatun"].rounds)
                suite.claim(f"{title}, seconds", "s", ours, ("<=", 1.2), "", duration(ours[0]))


def cold(suite, starts):
    """New processes by turns, each closed after its use."""
    for turn in range(suite.options.rounds):
        for name, command, settings, _ in starts if turn % 2 == 0 else starts[::-1]:
            contestant = Contestant(name, command, settings)
            yield name, contestant
            contestant.close()


def mapping(suite):
    """Opening 10 GB of weights; the file is sparse, so it needs no room."""
    suite.say("opening 10 GB of weights")
    folder = suite.folder / "large"
    folder.mkdir()
    header, offset = {}, 0
    for i in range(320):
        size = 4096 * 4096 * 2
        ends = [offset, offset + size]
        header[f"layers.{i}.weight"] = {"dtype": "BF16", "shape": [4096, 4096], "data_offsets": ends}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + offset)
    given = suite.settings("MAP", folder)
    starts = [suite.gatun(given)]
    if suite.options.python:
        starts = [suite.python(given, "safetensors.torch")] + starts
    times = {}
    for name, contestant in cold(suite, starts):  # the first opening counts
        before = contestant.memory("VmHWM")
        kept = times.setdefault(name, {"rounds": [], "grown": 0})
        kept["rounds"].append(contestant.unit())
        kept["grown"] = max(kept["grown"], contestant.memory("VmHWM") - before)
        if contestant.answers[0]["bytes"] != offset:
            sys.exit(f"{name}: found {contestant.answers[0]['bytes']} bytes, expected {offset}")
    for name, kept in times.items():
        value = median_of(kept["rounds"])
        grown = f"{mib(kept['grown'])} more resident"
        goal = ("<=", 0.2) if name == "Gatun" else None
        suite.claim(f"opening 10 GB of safetensors, {name}", "s", value, goal, "", f"{duration(value[0])}, {grown}")
        if name == "Gatun" and kept["grown"] > 64 << 20:
            sys.exit(f"opening 10 GB: found {grown}, expected at most 64 MiB: something was copied")


def switch(suite):
    """A forward of 16 tokens, each time with the other of two adapters."""
    shape, dtype = "GPT-2 124M", "bf16"
    suite.say(f"adapter switch, {shape}, {dtype}")
    model, sizes = suite.model(shape, dtype)
    rows = suite.rows(1, 16, sizes["vocabulary"])
    one, two = ([str(model / f"adapter-{i}") for i in range(1, n + 1)] for n in (1, 2))
    given = suite.settings("GENERATE", model / "model", rows, dtype, adapters=two)
    alone = given | {"adapters": one}
    starts = [suite.python(given), suite.gatun(given), suite.gatun(alone, "Gatun, one adapter")]

    def check(contestants):
        equal_ids(1)([c for c in contestants if c.name != "Gatun, one adapter"])

    contestants = suite.run(starts, check, warmup=20, units=20)
    by = suite.record(f"16 tokens with the other adapter, {shape}, {dtype}", contestants, "forward", 16)
    suite.faster("forward of 16 tokens after an adapter switch", by["Gatun"], by[PEER])
    suite.overhead("the same over a forward without a switch", by["Gatun"], by["Gatun, one adapter"])


def growth(suite):
    """Steps of a small model, one size at a time 1, 2 and 4 times as large: time must not grow faster than the work."""
    base = {"type": "gpt2", "layers": 3, "width": 384, "inner": 1536, "heads": 6, "vocabulary": 8192}
    base |= {"positions": 1024, "rank": 8, "targets": "all"}
    for axis in ("length", "batch", "rank", "layers", "adapters"):
        suite.say(f"growth with {axis}")
        contestants, work = [], []
        for factor in (1, 2, 4):
            sizes = dict(base)
            batch, length, adapters, dtype = 4, 128, 1, "f32"
            if axis == "length":
                length *= factor
            elif axis == "batch":
                batch *= factor
            elif axis == "adapters":
                adapters *= factor
            else:
                sizes[axis] *= factor
            task = "EVAL" if axis == "adapters" else "TRAIN"
            rows = suite.rows(BATCHES * batch, length, sizes["vocabulary"])
            given = suite.settings(task, suite.fresh(sizes), rows, dtype, fresh=True, newAdapters=adapters)
            given |= {"rank": sizes["rank"], "batch": batch}
            contestants.append((f"{axis} x {factor}", *suite.gatun(given)[1:]))
            cost = costs.forward if axis == "adapters" else costs.lora_step
            work.append(cost(sizes, batch, length, dtype)[0])
        contestants = suite.run(contestants, warmup=6, units=3)
        for contestant, flops in list(zip(contestants, work))[1:]:
            value = ratio_of(contestants[0].rounds, contestant.rounds)
            bound = 1.15 * flops / work[0]
            suite.growth.append({"axis": axis, "size": contestant.name, "time": value, "work": flops / work[0]})
            what = f"time of a {'forward' if axis == 'adapters' else 'step'} at {contestant.name}"
            suite.claim(what, f"times that at x 1, work x {flops / work[0]:.2f}", value, ("<=", round(bound, 2)), "", "")


def profile(suite):
    """Where a LoRA step's time goes, and what each part would take at the machine's rates."""
    options = suite.options
    for shape, dtype in options.models:
        suite.say(f"profile of a LoRA step, {shape}, {dtype}")
        plain, sizes = suite.lora_step(shape, dtype)
        contestants = suite.run([suite.gatun(plain, profiled=True)], warmup=20)
        seconds = median_of(contestants[0].rounds)[0]
        samples = contestants[0].last_words[-1]["profile"]
        lines = costs.profile(samples, seconds, sizes, options.batch, options.length, dtype)
        suite.profiles.append({"title": f"LoRA step, {shape}, {dtype}", "seconds": seconds, "lines": lines})


SECTIONS = {
    "train": train,
    "methods": methods,
    "full": full,
    "eval": evaluation,
    "prefill": prefill,
    "decode": decode,
    "serve": serve,
    "start": start,
    "map": mapping,
    "switch": switch,
    "small": small.run,
    "growth": growth,
    "profile": profile,
}
WITHOUT_PEER = ("train", "methods", "map", "small", "growth", "profile")


# --- the record


def processor():
    cpu = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        cpu.setdefault(key.strip(), value.strip())
    flags = cpu.get("flags", "").split()
    return {
        "cpu": cpu.get("model name", platform.processor()),
        "family": cpu.get("cpu family"),
        "model": cpu.get("model"),
        "cores": len(os.sched_getaffinity(0)),
        "avx512bw": "avx512bw" in flags,
        "avx512_bf16": "avx512_bf16" in flags,
        "amx_bf16": "amx_bf16" in flags,
    }


def commit():
    def git(*arguments):
        done = subprocess.run(["git", *arguments], cwd=HERE, capture_output=True, text=True)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "..", ":!results", ":!../README.md")
    return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")


def behind(sections, recorded):
    """Claims whose ratio is worse than the recorded one by more than REGRESSION, and outside of its interval."""
    claims = [c for section in sections.values() for c in section["claims"]]
    before = {c["what"]: c for section in recorded.values() for c in section["claims"]}
    fallen = []
    for claim in claims:
        last = before.get(claim["what"])
        if last is None or claim["meaning"] == "s":  # seconds are the machine's, ratios are ours
            continue
        higher = claim["meaning"] == "times as fast"
        loss = 1 - claim["value"] / last["value"] if higher else claim["value"] / last["value"] - 1
        outside = claim["interval"][1] < last["interval"][0] if higher else claim["interval"][0] > last["interval"][1]
        if loss > REGRESSION and outside:
            fallen.append(f"{claim['what']}: found {claim['value']:.2f} {claim['meaning']}, expected {last['value']:.2f}")
    return fallen


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="section", help="default: all")
    parser.add_argument("--python", help="a Python with torch, transformers and peft")
    parser.add_argument("--rounds", type=int, default=8, help="default 8")
    parser.add_argument("--units", type=int, default=2, help="steps of each contestant in a round (default 2)")
    parser.add_argument("--warmup", type=int, default=6, help="steps before the first round (default 6)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--dtypes", default="f32,bf16")
    parser.add_argument("--shapes", default=",".join(SHAPES), help="default: " + ", ".join(SHAPES))
    parser.add_argument("--llama-bench", help="llama.cpp's llama-bench; PYTHON then needs gguf")
    parser.add_argument("--jvm-peers", action="store_true", help="JavaCPP's PyTorch and DJL beside the small operations")
    parser.add_argument("--tiny", action="store_true", help="tiny models, to try the script out; nothing is written")
    parser.add_argument("--check", action="store_true", help="fail where a ratio fell behind the last suite.json")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    options.models = [(s, d) for s in options.shapes.split(",") for d in options.dtypes.split(",")]
    for shape, dtype in options.models:
        if shape not in SHAPES or dtype not in TOLERANCE:
            parser.error(f"--shapes, --dtypes: found {shape} and {dtype}, expected of {list(SHAPES)} and {list(TOLERANCE)}")
    default = list(SECTIONS) if options.python else WITHOUT_PEER
    options.sections = options.sections or default
    for section in options.sections:
        if section not in SECTIONS:
            parser.error(f"section: found {section}, expected one of {', '.join(SECTIONS)}")
        if section not in WITHOUT_PEER and not options.python:
            parser.error(f"section {section} needs --python")
    return options


def kept(last, found):
    """What was found, with the sections that were not run, or were run with peers and now without."""
    if last.get("machine") != found["machine"]:
        return found
    sections = dict(last["sections"])
    for name, section in found["sections"].items():
        if section["peers"] or not sections.get(name, section)["peers"]:
            sections[name] = section
    return found | {"sections": {name: sections[name] for name in SECTIONS if name in sections}}


def write(found):
    RECORD.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    (RESULTS / "suite.html").write_text(report.html(found))


def main():
    options = arguments()
    made = {"date": time.strftime("%Y-%m-%d"), "commit": commit(), "peers": bool(options.python)}
    last = json.loads(RECORD.read_text()) if RECORD.exists() else {"sections": {}}
    found = {"machine": processor(), "threads": options.threads, "sections": {}}
    writes = not options.check and not options.tiny
    with tempfile.TemporaryDirectory() as folder:
        before = machine(options)
        for section in options.sections:
            suite = Suite(options, pathlib.Path(folder))
            SECTIONS[section](suite)
            after = machine(options)
            found["sections"][section] = suite.found(best(before, after)) | made
            before = after
            if writes:  # a run that is stopped keeps the sections that it has ended
                write(kept(last, found))
    print(report.text(found))
    if options.check:
        fallen = behind(found["sections"], last["sections"])
        if fallen:
            sys.exit("fell behind:\n  " + "\n  ".join(fallen))
    if writes:
        print(f"written: {RECORD.relative_to(HERE.parent)} and suite.html", file=sys.stderr)
        if options.readme:
            report.into(HERE.parent / "README.md", kept(last, found))


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(str(failure))
