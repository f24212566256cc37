"""Writes the generated parts of the project: README blocks, pictures, the configuration's schema.

    python docs/build.py           write them
    python docs/build.py --check   exit 1, naming what is stale, if they are not current

A generated block in a Markdown file stands between `<!-- generated: NAME -->` and `<!-- end: NAME -->`.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import concepts_example

from leadlift.base.config import json_schema
from leadlift.base.experiment import ExperimentConfig
from leadlift.base.plain_list import PlainListConfig
from leadlift.base.schema import results_schema
from leadlift.design import RULES

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
CHECKS_PAGE = ROOT / "docs" / "checks.md"
GUIDE = ROOT / "docs" / "first_holdout.md"
SCRIPT = ROOT / "docs" / "first_holdout.sh"
IMAGES = ROOT / "docs" / "images"
PICTURES = ("six_groups", "qini_curves")
CONCEPTS_PAGE = ROOT / "docs" / "concepts.md"
DESIGN_PAGE = ROOT / "docs" / "design.md"
# Weeks until a holdout ends count from a day; the page names it.
DESIGN = """
from datetime import date
from leadlift.cli.design import show
from leadlift.study import design_study
show(design_study({config!r}, out={out!r}, today=date(2026, 11, 23)))
"""


def command(*arguments: str, cwd: Path) -> str:
    """What a command prints on stdout."""
    environment = {**os.environ, "COLUMNS": "110", "PYTHONHASHSEED": "0"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr}")
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def design_example(out: Path, cwd: Path) -> str:
    """What `leadlift design` says of the example, on the day that its page names; its files go into `out`."""
    config = ROOT / "configs" / "spring_calls.yaml"
    return command("-c", DESIGN.format(config=str(config), out=str(out)), cwd=cwd)


def fenced(text: str, language: str = "text") -> str:
    return f"```{language}\n{text}\n```"


def python_example(text: str, cwd: Path) -> str:
    """Runs the README's Python example and returns what it prints."""
    match = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    if match is None:
        raise SystemExit("README.md has no Python example")
    done = subprocess.run([sys.executable, "-c", match.group(1)], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the Python example in README.md failed:\n{done.stderr}")
    return done.stdout.strip()


def with_block(text: str, name: str, content: str) -> str:
    pattern = re.compile(rf"(<!-- generated: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"there is no block `{name}`")
    return pattern.sub(lambda match: f"{match.group(1)}{content}\n{match.group(2)}", text)


def as_json(schema: dict[str, object]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def checks_page() -> str:
    """docs/checks.md with its table of checks, from their registry."""
    lines = ["| check | what it sees | warns | stops | fix |", "| --- | --- | --- | --- | --- |"]
    for rule in RULES:
        mark = " ✱" if rule.by_chance else ""
        cells = (f"`{rule.code}`{mark}", rule.sees, rule.warns or "-", rule.stops or "-", rule.fix)
        lines.append(f"| {' | '.join(cells)} |")
    return with_block(CHECKS_PAGE.read_text(encoding="utf-8"), "checks", "\n".join(lines))


def concepts_page() -> str:
    """docs/concepts.md with its table of areas that disagree, and what its example prints."""
    text = with_block(CONCEPTS_PAGE.read_text(encoding="utf-8"), "disagree", concepts_example.table())
    return with_block(text, "intervals", fenced(concepts_example.printed(text)))


def first_holdout() -> str:
    """The guide: the script's comments as text, its commands, and what they print."""
    parts: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        # The first paragraph is the script's own.
        for paragraph in SCRIPT.read_text(encoding="utf-8").split("\n\n")[1:]:
            lines = paragraph.strip().splitlines()
            if lines[0].startswith("#"):
                parts.append("\n".join(line[1:].removeprefix(" ") for line in lines))
                continue
            printed = []
            for line in lines:
                words = shlex.split(line)
                if words[0] == "cd":
                    place = place / words[1]
                else:
                    printed.append(command("-m", *words, cwd=place))
            parts += [fenced("\n".join(lines), "sh"), *([fenced("\n\n".join(printed))] if any(printed) else [])]
    note = "<!-- Made from docs/first_holdout.sh by docs/build.py: edit the script. -->"
    return "\n\n".join([note, *parts]) + "\n"


def same(path: Path, current: str, content: str) -> bool:
    """Whether a page is current. Numbers in the guide hang on the day: weeks to the holdout's end, digests."""
    return current == content or (path == GUIDE and _without_numbers(current) == _without_numbers(content))


def _without_numbers(text: str) -> str:
    masked = re.sub(r"[0-9a-f]{12,}|[+−]?[\d,.:]*\d", "#", text)
    return re.sub(r"[\s─]+", " ", masked)


def generated(*, pictures: bool) -> dict[Path, str]:
    """Every generated text file and its content; pictures are written on the way if asked for."""
    text = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = with_block(text, "demo", fenced(command("-m", "leadlift", "demo", cwd=folder)))
        text = with_block(text, "python", fenced(python_example(text, folder)))
        text = with_block(text, "help", fenced(command("-m", "leadlift", "--help", cwd=folder)))
        design = fenced(design_example(folder / "design", folder))
        if pictures:
            IMAGES.mkdir(exist_ok=True)
            for picture in PICTURES:
                source = folder / "leadlift-demo" / "figures" / f"{picture}.png"
                (IMAGES / f"{picture}.png").write_bytes(source.read_bytes())
            (IMAGES / "areas.png").write_bytes(concepts_example.picture())
            (IMAGES / "power_curves.png").write_bytes((folder / "design" / "power_curves.png").read_bytes())
    return {
        README: text,
        GUIDE: first_holdout(),
        CHECKS_PAGE: checks_page(),
        CONCEPTS_PAGE: concepts_page(),
        DESIGN_PAGE: with_block(DESIGN_PAGE.read_text(encoding="utf-8"), "design", design),
        ROOT / "configs" / "study.schema.json": as_json(json_schema()),
        ROOT / "configs" / "experiment.schema.json": as_json(json_schema(ExperimentConfig, "leadlift experiment")),
        ROOT / "configs" / "list.schema.json": as_json(json_schema(PlainListConfig, "leadlift list")),
        ROOT / "src" / "leadlift" / "results.schema.json": as_json(results_schema()),
    }


def main() -> int:
    check = sys.argv[1:] == ["--check"]
    stale = 0
    for path, content in generated(pictures=not check).items():
        current = path.read_text(encoding="utf-8") if path.exists() else ""
        if same(path, current, content):
            continue
        if check:
            stale += 1
            name = str(path.relative_to(ROOT))
            difference = difflib.unified_diff(current.splitlines(), content.splitlines(), name, "now", lineterm="", n=1)
            print("\n".join(list(difference)[:40]))
            print(f"{name} is stale: run `make docs`")
        else:
            path.write_text(content, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
