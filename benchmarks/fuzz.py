"""Damaged and hostile model files by the tens of thousands: what each does to symgru.

    python benchmarks/fuzz.py --count 20000 --seed 1

Each file is loaded, shown, run and emitted in a process with 1 GB beyond what it starts with and 5 s. It may work or be
refused in one line; anything else is a finding, and is written to --findings. The table of figures goes to
benchmarks/results/fuzz.md with --write.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
RESULTS = ROOT / "benchmarks" / "results" / "fuzz.md"
GRACE = 15.0  # seconds after which a process that does not even take its alarm is ended


def work(pipe: Connection, names: list[str], numbers: range, seed: int) -> None:
    """Send (name, number, outcome, seconds) for each; the name and number first, so that a crash is known."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from tests.fuzzing import companions, limit_memory, mutated, outcome, sound_files

    files = sound_files()
    outcome("seed.json", files["seed.json"], {})  # what is imported once does not count
    limit_memory()
    for number in numbers:
        name = names[number % len(names)]
        pipe.send((name, number, None, 0.0))
        start = time.perf_counter()
        found = outcome(name, mutated(name, files[name], seed + number), companions(name, files))
        pipe.send((name, number, found, time.perf_counter() - start))
    pipe.send(None)


class Worker:
    """A process that does some of the numbers; where it dies, another goes on behind the one it died of."""

    def __init__(self, names: list[str], numbers: range, seed: int) -> None:
        self.names, self.numbers, self.seed = names, numbers, seed
        self.done = False
        self.start(numbers)

    def start(self, numbers: range) -> None:
        self.pipe, other = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=work, args=(other, self.names, numbers, self.seed), daemon=True)
        self.process.start()
        other.close()
        self.current, self.since = (self.names[numbers[0] % len(self.names)], numbers[0]), time.monotonic()

    def poll(self) -> tuple[str, int, str, float] | None:
        """A finished file, if there is one."""
        if self.done:
            return None
        try:
            if self.pipe.poll(0.05):
                said = self.pipe.recv()
                if said is None:
                    self.done = True
                    return None
                name, number, found, seconds = said
                self.current, self.since = (name, number), time.monotonic()
                return None if found is None else (name, number, found, seconds)
            if time.monotonic() - self.since < GRACE:
                return None
            found = "hangs"
        except EOFError:
            self.process.join()
            found = f"ends the process ({self.process.exitcode})"
        self.process.kill()
        name, number = self.current
        rest = range(number + self.numbers.step, self.numbers.stop, self.numbers.step)
        if rest:
            self.start(rest)
        else:
            self.done = True
        return name, number, found, time.monotonic() - self.since


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--findings", type=Path, default=Path("findings"))
    parser.add_argument("--only", help="formats, such as .keras,.onnx")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    from tests.fuzzing import mutated, safe, sound_files

    files = sound_files()
    names = [n for n in files if not args.only or n.endswith(tuple(args.only.split(",")))]
    workers = [Worker(names, range(k, args.count, args.workers), args.seed) for k in range(args.workers)]
    outcomes: dict[str, Counter[str]] = {name: Counter() for name in names}
    slowest = dict.fromkeys(names, 0.0)
    findings = []
    begin = time.monotonic()
    while not all(worker.done for worker in workers):
        for worker in workers:
            if (said := worker.poll()) is None:
                continue
            name, number, found, seconds = said
            fine = found in ("works", "refused")
            outcomes[name][found if fine else "finding"] += 1
            slowest[name] = max(slowest[name], seconds)
            if not fine:
                findings.append((name, number, found))
                args.findings.mkdir(exist_ok=True)
                content = mutated(name, files[name], args.seed + number)
                (args.findings / safe(f"{number}.{name}")).write_bytes(content)
                print(f"{number} {name}: {found}", flush=True)
    total = sum(sum(c.values()) for c in outcomes.values())
    lines = [
        "# Damaged files",
        "",
        f"`python benchmarks/fuzz.py --count {args.count} --seed {args.seed}`: {total:,} files in "
        f"{time.monotonic() - begin:.0f} s, {len(findings)} findings. Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}, {args.workers} processes.",
        "",
        "A file may work (the damage is in a number, or in what nothing reads) or be refused in one line. A traceback, "
        "more than 5 s, more than 1 GB, a crash or a file left behind is a finding.",
        "",
        "| made from | files | work | refused | findings | slowest, s |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name in names:
        c = outcomes[name]
        row = (sum(c.values()), c["works"], c["refused"], c["finding"], f"{slowest[name]:.2f}")
        lines.append(f"| {name} | " + " | ".join(map(str, row)) + " |")
    text = "\n".join(lines) + "\n"
    print(text)
    if args.write:
        RESULTS.write_text(text, encoding="utf-8")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
