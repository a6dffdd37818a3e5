"""The small operation: two 16 x 16 f32 matrices multiplied by elements, and the result freed."""

import json
import pathlib
import shutil
import subprocess
import sys

from contestants import median_of, ratio_of

HERE = pathlib.Path(__file__).resolve().parent
NAMES = {
    "OpBench.mulRuntime": "Gatun",
    "OpBench.mulShim": "libtorch through a bare downcall",
    "JavaCppBench.mul": "JavaCPP",
    "JavaCppBench.mulUnlimited": "JavaCPP, its check of memory off",
    "DjlBench.mul": "DJL",
}
GOALS = {"C++ libtorch": 1 / 1.1, "JavaCPP": 4, "JavaCPP, its check of memory off": None, "DJL": None}


def run(suite):
    options = suite.options
    suite.say("small operation, freed")
    cpp = compiled(suite)
    times = {}
    for turn in range(options.rounds):
        for name, seconds in jmh(suite):
            times.setdefault(name, []).append(seconds)
        if cpp:
            done = subprocess.run([str(cpp)], capture_output=True, text=True, check=True)
            times.setdefault("C++ libtorch", []).append(float(done.stdout) / 1e9)
        progress = ", ".join(f"{name} {1e9 * rounds[-1]:.0f} ns" for name, rounds in times.items())
        suite.say(f"  round {turn + 1} of {options.rounds}: {progress}")
    entries = []
    for name, rounds in times.items():
        seconds, low, high = median_of(rounds)
        entries.append({"name": name, "seconds": seconds, "interval": [low, high], "rounds": rounds})
    suite.races.append(
        {
            "section": "small",
            "title": "16 x 16 f32 product by elements, result freed, one thread",
            "unit": "operation",
            "equal": "each peer's result is compared with a plain loop's",
            "entries": entries,
        }
    )
    ours = times["Gatun"]
    for name, goal in GOALS.items():
        if name in times:
            theirs, mine = (f"{1e9 * median_of(t)[0]:.0f} ns" for t in (times[name], ours))
            value = ratio_of(ours, times[name])
            suite.claim(f"small operation, freed, beside {name}", "times as fast", value, goal and (">=", round(goal, 2)), theirs, mine)


def jmh(suite):
    """One fork of each benchmark."""
    result = suite.folder / "jmh.json"
    pattern = r"\.(OpBench\.mul(Runtime|Shim)|(JavaCpp|Djl)Bench\.mul(Unlimited)?)$"
    peers = ["--peers"] if suite.options.jvm_peers else []
    command = [str(HERE / "run.sh"), "jmh", *peers, pattern, "-p", "shape=16x16"]
    done = subprocess.run([*command, "-rf", "json", "-rff", str(result)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"JMH: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    for found in json.loads(result.read_text()):
        name = ".".join(found["benchmark"].split(".")[-2:])
        yield NAMES[name], found["primaryMetric"]["score"] / 1e9


def compiled(suite):
    """The C++ baseline, where there are a compiler and libtorch's headers; says what is missing where not."""
    compiler = shutil.which("c++") or shutil.which("g++")
    if not compiler or not suite.options.python:
        suite.left_out.append("C++ libtorch: needs a C++ compiler and --python with torch's headers")
        return None
    code = "import pathlib, torch; print(pathlib.Path(torch.__file__).parent)"
    found = subprocess.run([suite.options.python, "-c", code], capture_output=True, text=True, check=True)
    torch = pathlib.Path(found.stdout.strip())
    binary = suite.folder / "small"
    includes = [f"-I{torch}/include", f"-I{torch}/include/torch/csrc/api/include"]
    libraries = [f"-L{torch}/lib", f"-Wl,-rpath,{torch}/lib", "-ltorch", "-ltorch_cpu", "-lc10"]
    source = str(HERE / "peers/small.cpp")
    done = subprocess.run(
        [compiler, "-O2", "-std=c++20", *includes, source, "-o", str(binary), *libraries], capture_output=True, text=True
    )
    if done.returncode:
        suite.left_out.append("C++ libtorch: " + (done.stderr.splitlines() or ["no message"])[0])
        print(f"left out: {suite.left_out[-1]}", file=sys.stderr)
        return None
    return binary
