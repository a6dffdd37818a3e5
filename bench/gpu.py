#!/usr/bin/env python3
"""Checks Gatun on an NVIDIA GPU and measures it beside PyTorch + peft on the same GPU, in under 10 minutes.

    ./image.sh --checks DIR                     on any machine with a JDK 25: what runs Gatun, and its tests, without one
    bench/gpu.py --image DIR                    on the machine with the GPU; the python3 there has torch, transformers and peft
    bench/gpu.py --image DIR checks train       some sections only

Sections: checks (every test of operations, gradients, optimizers and models, on the GPU), train (a LoRA step of a Llama of
about 1B parameters in bf16, 8 rows of 1,024 tokens, also under HiddenKey), decode (128 tokens of it, one sequence), load (its
weights from the page cache to the GPU, beside copies of pinned memory and Python's safetensors), dispatch (asking for an addition
of 1,024 floats, and launching one of our kernels, without waiting).
Before a speed counts, the work must have been the same: equal losses, equal first tokens. What is measured how is in
contestants.py. The result goes to bench/results/gpu.json; a section that is run alone replaces its part.
"""

import argparse
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

from contestants import race, ratio_of, started

HERE = pathlib.Path(__file__).resolve().parent
SHAPE = {"type": "llama", "layers": 16, "width": 2048, "inner": 8192, "heads": 32, "keyHeads": 8, "vocabulary": 128256} | {
    "positions": 2048,
    "rank": 16,
    "targets": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    "dtype": "bf16",
    "device": "cuda",
}
TOLERANCE = 2e-2
METHODS = {"LoRA": "none", "HiddenKey⁻": "hiddenkey-minus", "HiddenKey": "hiddenkey"}
TESTS = {
    "runtime": r".*\.(op\.(?!OpCoverage)\w*|optim\.\w*|safetensors\.\w*)Test|.*\.(TapeTest|OutOfDeviceMemoryTest|TorchFailureTest|cuda\..*Test)",
    "models": r".*\.(zoo|dropout|lora|generate|nn|baseline)\..*Test|.*\.(OptimizerStepTest|TaskLossTest|AdaLoraCurveTest|DeviceSoakTest)",
}


def java(image):
    return [str(image / "java/bin/java"), "-XX:+UseSerialGC", "--add-modules", "jdk.incubator.vector"] + [
        "--enable-native-access=ALL-UNNAMED",
        "--illegal-native-access=deny",
    ]


def checks(options, _):
    """Runs the tests with the GPU as their device."""
    found = {}
    for module, names in TESTS.items():
        home = options.image / "checks" / module
        path = [home / "classes", home / "src/test/resources", options.image / "lib/*", options.image / "checks/lib/*"]
        junit = options.image / "checks/lib" / next(
            p.name for p in (options.image / "checks/lib").iterdir() if p.name.startswith("junit-platform-console")
        )
        command = java(options.image) + ["-Xmx4g", "-Dgatun.test.device=cuda", "-cp", ":".join(map(str, [*path, junit]))]
        command += ["org.junit.platform.console.ConsoleLauncher", "execute", "--disable-banner", "--details=tree"]
        command += ["--include-classname", names, "--scan-classpath", str(home / "classes")]
        begun = time.perf_counter()
        done = subprocess.run(command, cwd=home, capture_output=True, text=True, errors="replace")
        options.log(f"checks-{module}.txt", done.stdout + done.stderr)
        counts = {w: int(n) for n, w in re.findall(r"\[\s*(\d+) tests (found|skipped|successful|failed)", done.stdout)}
        counts["seconds"] = round(time.perf_counter() - begun, 1)
        found[module] = counts
        print(f"checks, {module}: {counts or done.stderr[-400:]}", flush=True)
    return found


def make(options, folder):
    """Writes the model, two adapters and the rows."""
    if not (folder / "model").exists():
        begun = time.perf_counter()
        command = [options.python, str(HERE / "peers/pytorch.py"), "make", str(folder), json.dumps(SHAPE)]
        subprocess.run(command, check=True, capture_output=True)
        draw = random.Random(1)
        with open(folder / "rows.jsonl", "w") as rows:
            for _ in range(32):
                rows.write(json.dumps({"input_ids": [draw.randrange(SHAPE["vocabulary"]) for _ in range(1024)]}) + "\n")
        print(f"model made in {time.perf_counter() - begun:.0f} s", flush=True)


def settings(folder, task, **others):
    return {
        "task": task,
        "model": str(folder / "model"),
        "fresh": False,
        "adapters": [str(folder / "adapter-1")],
        "newAdapters": 0,
        "rank": SHAPE["rank"],
        "rows": str(folder / "rows.jsonl"),
        "batch": 8,
        "dtype": "bf16",
        "dropout": "none",
        "learningRate": 1e-4,
        "maxGradNorm": 1.0,
        "newTokens": 128,
        "threads": min(8, os.cpu_count()),
        "profiled": False,
        "device": "cuda",
    } | others


def gatun(options):
    lib = [options.image / "lib/*", options.image / "checks/lib/*"]
    return java(options.image) + ["-Xmx2g", "-cp", ":".join(map(str, lib)), "dev.gatun.bench.worker.Worker"]


def peer(options):
    return [options.python, str(HERE / "peers/pytorch.py"), "work"]


def train(options, folder):
    make(options, folder)
    starts = [("PyTorch + peft", peer(options), settings(folder, "TRAIN", engine="eager"), True)]
    for name, dropout in METHODS.items():
        starts.append((f"Gatun, {name}", gatun(options), settings(folder, "TRAIN", dropout=dropout), name == "LoRA"))
    contestants, failures = started(starts)

    def same(all_):
        torch, plain = all_[0], all_[1]
        for theirs, ours in zip(torch.answers, plain.answers):
            if abs(theirs["loss"] - ours["loss"]) > TOLERANCE * abs(theirs["loss"]):
                raise SystemExit(f"train: loss {ours['loss']}, expected {theirs['loss']}")

    race(contestants, 4, options.rounds, 3, same)
    tokens = settings(folder, "TRAIN")["batch"] * 1024
    found = {"failures": failures, "losses": {c.name: [a["loss"] for a in c.answers[:4]] for c in contestants}}
    first = contestants[0]
    for each in contestants:
        middle = sorted(each.rounds)[len(each.rounds) // 2]
        ratio, low, high = ratio_of(each.rounds, first.rounds)
        peak = max(a["peak"] for a in each.answers)
        found[each.name] = {
            "seconds": middle,
            "tokens_per_second": tokens / middle,
            "times_as_fast": [ratio, low, high],
            "peak_bytes": peak,
            "memory_ratio": peak / max(a["peak"] for a in first.answers),
        }
        print(
            f"train, {each.name}: {1e3 * middle:.1f} ms, {tokens / middle:,.0f} tokens/s, "
            f"{ratio:.2f} ({low:.2f} to {high:.2f}) times as fast, peak {peak / 2**30:.2f} GiB",
            flush=True,
        )
    return found


def decode(options, folder):
    make(options, folder)
    with open(folder / "rows.jsonl") as rows:
        prompt = json.loads(rows.readline())["input_ids"][:64]
    (folder / "prompt.jsonl").write_text(json.dumps({"input_ids": prompt}) + "\n")
    given = settings(folder, "GENERATE", adapters=[], rows=str(folder / "prompt.jsonl"))
    contestants, failures = started(
        [("transformers", peer(options), given | {"engine": "eager"}, True), ("Gatun", gatun(options), given, True)]
    )
    race(contestants, 1, options.rounds, 1)
    agreed = 0
    for theirs, ours in zip(contestants[0].answers[-1]["ids"], contestants[1].answers[-1]["ids"]):
        if theirs != ours:
            break
        agreed += 1
    found = {"failures": failures, "equal_first_tokens": agreed}
    for each in contestants:
        ratio, low, high = ratio_of(each.rounds, contestants[0].rounds)
        middle = sorted(each.rounds)[len(each.rounds) // 2]
        found[each.name] = {"tokens_per_second": 128 / middle, "times_as_fast": [ratio, low, high]}
        print(f"decode, {each.name}: {128 / middle:.1f} tokens/s, {ratio:.2f} ({low:.2f} to {high:.2f}) times as fast", flush=True)
    print(f"decode: the first {agreed} of 128 tokens are equal", flush=True)
    return found


def load(options, folder):
    make(options, folder)
    given = settings(folder, "MAP")
    contestants, failures = started(
        [("safetensors", peer(options), given | {"engine": "eager"}, False), ("Gatun", gatun(options), given, True)]
    )
    transfer, _ = started([("transfers", gatun(options), settings(folder, "TRANSFER"), True)])
    for _ in range(2 + 2 * options.rounds):
        for each in contestants:
            each.unit()
    rates = {name: value / 1e9 for name, value in transfer[0].answers[-1].items()}
    for each in [*contestants, *transfer]:
        each.close()
    size = (folder / "model/model.safetensors").stat().st_size
    found = {"failures": failures, "bytes": size, "gigabytes_per_second": rates}
    for each in contestants:
        seconds = statistics.median(a["seconds"] for a in each.answers[3:])
        found[each.name] = {"seconds": seconds, "first_seconds": each.answers[0]["seconds"], "gigabytes_per_second": size / seconds / 1e9}
        found[each.name]["of_pinned"] = size / seconds / 1e9 / rates["pinned"]
        print(
            f"load, {each.name}: {seconds:.3f} s, {size / seconds / 1e9:.1f} GB/s, "
            f"{found[each.name]['of_pinned']:.0%} of the {rates['pinned']:.1f} GB/s of pinned copies; "
            f"the first time {each.answers[0]['seconds']:.3f} s",
            flush=True,
        )
    print("load, GB/s: " + ", ".join(f"{name} {value:.1f}" for name, value in rates.items()), flush=True)
    return found


def dispatch(options, folder):
    given = settings(folder, "DISPATCH", model=None, rows=None, adapters=[])
    contestants, failures = started([("PyTorch", peer(options), given, True), ("Gatun", gatun(options), given, True)])
    for _ in range(3):
        for each in contestants:
            each.unit()
    found = {"failures": failures}
    for each in contestants:
        each.close()
        found[each.name] = {name: statistics.median(a[name] for a in each.answers) for name in each.answers[0]}
        for name, nanos in found[each.name].items():
            print(f"dispatch, {each.name}: {name} {nanos:,.0f} ns", flush=True)
    return found


SECTIONS = {"checks": checks, "train": train, "decode": decode, "load": load, "dispatch": dispatch}


def machine(python):
    code = "import torch; print(torch.__version__, torch.version.cuda, torch.cuda.get_device_name(0), sep='|')"
    torch, cuda, name = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip().split("|")
    driver = subprocess.run(
        ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"], capture_output=True, text=True
    ).stdout.strip()
    return {"gpu": name, "torch": torch, "cuda": cuda, "driver": driver}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], default=list(SECTIONS))
    parser.add_argument("--image", type=lambda p: pathlib.Path(p).resolve(), required=True, help="what image.sh --checks made")
    parser.add_argument("--python", default="python3")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--commit", default="unknown", help="what is measured, for the record")
    parser.add_argument("--logs", type=pathlib.Path, default=pathlib.Path(tempfile.mkdtemp()), help="folder for the tests' output")
    parser.add_argument("--record", type=pathlib.Path, default=HERE / "results/gpu.json")
    options = parser.parse_args()
    options.log = lambda name, text: (options.logs / name).write_text(text)
    record = json.loads(options.record.read_text()) if options.record.exists() else {}
    record |= machine(options.python) | {"commit": options.commit, "date": time.strftime("%Y-%m-%d")}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.sections:
            record.setdefault("sections", {})[name] = SECTIONS[name](options, pathlib.Path(folder))
            options.record.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
