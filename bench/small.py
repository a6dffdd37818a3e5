"""The small operation: two 16 x 16 f32 matrices multiplied by elements, and the result freed."""

import json
import pathlib
import shutil
import subprocess
import sys

from contestants import Times

HERE = pathlib.Path(__file__).resolve().parent
NAMES = {
    "OpBench.mulRuntime": "Gatun",
    "OpBench.mulShim": "libtorch through a bare downcall",
    "JavaCppBench.mul": "JavaCPP",
    "JavaCppBench.mulUnlimited": "JavaCPP, its check of memory off",
    "DjlBench.mul": "DJL",
}
CPP = "C++ libtorch"
GOALS = {CPP: (">=", 0.91), "JavaCPP": (">=", 4), "JavaCPP, its check of memory off": None, "DJL": None}


def run(suite):
    options = suite.options
    suite.say("small operation, freed")
    cpp = compiled(suite)
    times = {}
    for turn in range(options.rounds):
        for name, seconds in jmh(suite):
            times.setdefault(name, Times(name)).rounds.append(seconds)
        if cpp:
            done = subprocess.run([str(cpp)], capture_output=True, text=True, check=True)
            times.setdefault(CPP, Times(CPP)).rounds.append(float(done.stdout) / 1e9)
        progress = ", ".join(f"{t.name} {1e9 * t.rounds[-1]:.0f} ns" for t in times.values())
        suite.say(f"  round {turn + 1} of {options.rounds}: {progress}")
    title = "16 x 16 f32 product by elements, result freed, one thread"
    by = suite.record(title, list(times.values()), "operation", equal="each peer's result is compared with a plain loop's")
    for name, goal in GOALS.items():
        if name in by:
            suite.faster(f"small operation, freed, beside {name}", by["Gatun"], by[name], goal)


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
