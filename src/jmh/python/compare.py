"""Runs the benchmarks of src/jmh and their PyTorch twins by turns and prints the README's table.

    python src/jmh/python/compare.py [GROUP ...] [--rounds 3]

Run it with a Python that has PyTorch. GROUP is attention, rotary, training, coordinates, grid, fit,
spectrum, closed-form, memory, generation, tuning or load; without one, all are run. The last three
need transformers and peft too, and make a folder each. Every figure is the median of the rounds'
medians; give the machine nothing else to do.
"""

import argparse
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

GRID_NETWORKS = {
    "complex_linear": "complex, linear",
    "complex_deep": "complex, one hidden layer",
    "simple_deep": "simple, four hidden layers",
}

GROUPS = {
    "attention": ("AttentionBenchmark", [f"attention_core_{t}" for t in (256, 1024, 4096)]),
    "rotary": ("RotationBenchmark", ["rotary_copy", "rotary_interleaved", "rotary_half_split"]),
    "training": ("TrainingStepBenchmark", ["training_step"]),
    "coordinates": ("CoordinateStepBenchmark", ["coordinate_step"]),
    "grid": ("GridStepBenchmark", [f"grid_step_{n}" for n in GRID_NETWORKS]),
    "spectrum": ("SpectrumBenchmark", ["spectrum"]),
    "closed-form": ("SeparableFitBenchmark", ["closed_form_image", "closed_form_volume"]),
}


def maven(main, arguments):
    command = ["mvn", "-q", "-B", "-Pbench", "test-compile", "exec:exec"]
    command += [f"-Dbench.main={main}", f"-Dbench.args={arguments}"]
    run = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE)
    if run.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{run.stdout}")
    return run.stdout


def jmh(benchmark):
    """Median milliseconds of each method of a benchmark class, by "method" or "method/parameter"."""
    with tempfile.TemporaryDirectory() as folder:
        result = os.path.join(folder, "jmh.json")
        maven("org.openjdk.jmh.Main", f"{benchmark} -rf json -rff {result}")
        with open(result, encoding="utf-8") as file:
            runs = json.load(file)
    medians = {}
    for run in runs:
        name = run["benchmark"].split(".")[-1]
        if "params" in run:
            name += "/" + "/".join(run["params"].values())
        medians[name] = run["primaryMetric"]["scorePercentiles"]["50.0"]
    return medians


def pytorch(names):
    script = Path(__file__).with_name("pytorch.py")
    run = subprocess.run([sys.executable, script, *names], text=True, stdout=subprocess.PIPE)
    if run.returncode != 0:
        sys.exit(f"{script} failed")
    return json.loads(run.stdout)["median_ms"]


def hugging_face(*arguments):
    script = Path(__file__).with_name("hugging_face.py")
    command = [sys.executable, script, *arguments]
    run = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if run.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed")
    return json.loads(run.stdout)


def generations(folder):
    """Tokens a second, ours and theirs, in each precision."""
    ours = jmh(f"GenerationBenchmark -p folder={folder}")
    for precision in ("float32", "bfloat16"):
        mine = ours[f"generation/{folder}/{precision.upper()}"]
        theirs = hugging_face("generation", folder, "--precision", precision)["ms"]
        yield f"generation of 700 tokens, 88M parameters, {precision}", 7e5 / mine, 7e5 / theirs


def tunings(folder):
    """Milliseconds of a step, ours and theirs, of each method."""
    ours = jmh(f"TuningStepBenchmark -p folder={folder}")
    for method in ("full", "lora"):
        mine = ours[f"tuningStep/{folder}/{method.upper()}"]
        theirs = hugging_face("step", folder, "--method", method)["ms"]
        yield f"fine-tuning step, 88M parameters, 2 × 256 tokens, {method}", mine, theirs


def loads(folder):
    """Seconds and megabytes of a process that reads a gigabyte, ours and theirs."""
    printed = maven("org.posenc.bench.FolderLoad", folder)
    mine = json.loads(re.search(r"{.*}", printed).group())
    theirs = hugging_face("load", folder)
    for key, what in (
        ("reading", "reading a folder of 1.1 GB"),
        ("process", "– as a whole process"),
        ("megabytes", "– its greatest memory"),
    ):
        yield what, mine[key], theirs[key]


FOLDERS = {
    "generation": (generations, "generation", "{:.1f} tokens/s"),
    "tuning": (tunings, "generation", "{:.0f} ms"),
    "load": (loads, "load", "{:.1f} s"),
}


def folder_rows(group, rounds):
    """Rows as of table, of what is done with a folder that transformers made."""
    measure, size, unit = FOLDERS[group]
    ours, theirs = defaultdict(list), defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        hugging_face("make", folder, "--size", size)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}: {group}", file=sys.stderr)
            for what, mine, other in measure(folder):
                ours[what].append(mine)
                theirs[what].append(other)
    for what, values in ours.items():
        mine, other = statistics.median(values), statistics.median(theirs[what])
        form = "{:.0f} MB" if "memory" in what else unit
        yield [
            what,
            form.format(mine),
            f"transformers: {form.format(other)}",
            f"{mine / other:.2f}×",
        ]


def memory(whose):
    lengths = "256 1024 4096" if whose == "posenc" else "256 1024"
    printed = maven("org.posenc.bench.AttentionMemory", f"{whose} {lengths}")
    return json.loads(re.search(r"{.*}", printed).group())  # Maven adds its colours


def fits():
    printed = maven("org.posenc.bench.FitRatios", "512 500")
    return json.loads(re.search(r"{.*}", printed).group())


def table(ours, torch, megabytes, ratios):
    """Rows (what, posenc, other, the other's figure, how they compare)."""

    def milliseconds(x):
        return f"{x:.2f} ms" if x < 10 else f"{x:.0f} ms"

    def row(what, mine, other, theirs, faster=False):
        ratio = f"{theirs / mine:.1f}× faster" if faster else f"{mine / theirs:.2f}×"
        return [what, milliseconds(mine), f"{other}: {milliseconds(theirs)}", ratio]

    if "copy" in ours:
        for layout, twin in (("interleaved", "interleaved"), ("halfSplit", "half_split")):
            name = twin.replace("_", "-")
            what = f"RoPE of (8, 12, 1024, 64), {name}"
            yield row(what, ours[layout], "copy", ours["copy"])
            ratio = torch[f"rotary_{twin}"] / torch["rotary_copy"]
            yield ["– the same in PyTorch", "", "copy in PyTorch", f"{ratio:.2f}×"]
            sign = ours["signWithGradient"]
            what = "– forward and backward"
            yield row(what, ours[layout + "WithGradient"], "change of sign", sign)
    for t in (256, 1024, 4096):
        if f"posencCore/{t}" in ours:
            what = f"causal attention, forward and backward, T = {t}"
            mine = ours[f"posencCore/{t}"]
            yield row(what, mine, "DJL's operations", ours[f"djlCore/{t}"], faster=True)
            yield row("– against PyTorch", mine, "PyTorch", torch[f"attention_core_{t}"])
            djl = ours[f"djlBlock/{t}"]
            yield row("– with projections", ours[f"posencBlock/{t}"], "DJL's block", djl, faster=True)
            narrow = "products in bfloat16"
            mine = ours[f"posencCoreBfloat16/{t}"]
            yield row(f"– {narrow}", mine, "DJL's in float32", ours[f"djlCore/{t}"], faster=True)
            mine = ours[f"posencBlockBfloat16/{t}"]
            yield row(f"– {narrow}, with projections", mine, "DJL's in float32", djl, faster=True)
    if megabytes:
        for t in ("256", "1024", "4096"):
            mine = megabytes["posenc"][t]
            theirs = megabytes["djl"].get(t)
            ratio = f"{mine / theirs:.2f}×" if theirs else ""
            other = f"DJL's block: {theirs} MB" if theirs else ""
            yield [f"– memory of a pass with projections, T = {t}", f"{mine} MB", other, ratio]
    steps = (
        ("training_step", "training", "training step, 4 layers, d = 256, T = 256, B = 8"),
        ("coordinate_step", "coordinates", "training step, CoordinateMlp 4 × 256, 65,536 points"),
        ("spectrum", "spectrum", "singular values of (4096, 1024)"),
    )
    for twin, group, what in steps:
        if twin in torch:
            yield row(what, ours[GROUPS[group][0]], "PyTorch", torch[twin])
    for name, title in GRID_NETWORKS.items():
        if f"grid_step_{name}" in torch:
            mine = ours[f"gridStep/{name.upper()}"]
            what = f"training step on 256² RGB pixels: {title}"
            yield row(what, mine, "PyTorch", torch[f"grid_step_{name}"])
    if "grid_step_complex_linear" in torch:
        linear, deep = (ours[f"gridStep/{n}"] for n in ("COMPLEX_LINEAR", "SIMPLE_DEEP"))
        yield row("– linear against deep", linear, "simple, four layers", deep, faster=True)
    for name, title in (("linear", "linear layer, complex"), ("closed", "closed form, complex")):
        if ratios:
            fit, deep = ratios[name], ratios["deep"]
            yield [
                f"fit of 512² RGB pixels: {title}",
                f"{fit['psnr']:.1f} dB in {fit['seconds']:.2f} s",
                f"simple, four layers: {deep['psnr']:.1f} dB in {deep['seconds']:.0f} s",
                f"{deep['seconds'] / fit['seconds']:.0f}× faster",
            ]
    if "stableRank" in ours:
        what = "– stable rank alone"
        yield row(what, ours["stableRank"], "PyTorch's singular values", torch["spectrum"])
    closed = (
        ("image", "512² in colours from 256², K = 256"),
        ("volume", "three channels of 128³ from 64³, K = 64"),
    )
    for name, what in closed:
        if name in ours:
            yield row(f"closed form, {what}", ours[name], "PyTorch", torch[f"closed_form_{name}"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    groups = [*GROUPS, "fit", "memory", *FOLDERS]
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(groups))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    chosen = arguments.groups or groups
    unknown = [group for group in chosen if group not in groups]
    if unknown:
        parser.error(f"unknown group {unknown[0]}; there are {', '.join(groups)}")
    ours, torch = defaultdict(list), defaultdict(list)
    for number in range(arguments.rounds):
        for group in chosen:
            if group not in GROUPS:
                continue
            print(f"round {number + 1} of {arguments.rounds}: {group}", file=sys.stderr)
            benchmark, twins = GROUPS[group]
            for name, value in jmh(benchmark).items():
                ours[benchmark if name == "posenc" else name].append(value)
            for name, value in pytorch(twins).items():
                torch[name].append(value)
    ours, torch = (
        {name: statistics.median(values) for name, values in all_.items()} for all_ in (ours, torch)
    )
    megabytes = {w: memory(w) for w in ("posenc", "djl")} if "memory" in chosen else {}
    ratios = fits() if "fit" in chosen else None
    print("| computation | posenc | compared with | ratio |")
    print("|---|---|---|---|")
    rows = [table(ours, torch, megabytes, ratios)]
    rows += [folder_rows(group, arguments.rounds) for group in chosen if group in FOLDERS]
    for cells in itertools.chain(*rows):
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
