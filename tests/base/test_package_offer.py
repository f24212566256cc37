"""What the package and its rooms offer, and that looking at it costs nothing."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import leadlift

ROOMS = sorted(room.name for room in pkgutil.iter_modules(leadlift.__path__) if room.ispkg and room.name != "cli")
HEAVY = {
    "mlflow",
    "causalml",
    "lightgbm",
    "sklearn",
    "matplotlib",
    "pandas",
    "scipy",
    "statsmodels",
    "duckdb",
    "pyarrow",
}


def by_kind(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, as ruff sorts `__all__`."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_what_a_room_offers_is_sorted_and_there(room):
    module = importlib.import_module(f"leadlift.{room}".rstrip("."))
    offered = module.__all__
    assert list(offered) == sorted(offered, key=by_kind)
    assert len(set(offered)) == len(offered)
    for name in offered:
        assert getattr(module, name) is not None
    assert set(offered) <= set(dir(module))


def test_the_package_offers_its_rooms_and_names_others_as_absent():
    study = {"assign_leads", "check_study", "design_study", "run_study", "simulate_crm"}
    named = {"AssignmentLog", "TLearner", "XLearner", *study}
    assert set(leadlift.__all__) >= named
    assert set(ROOMS) <= set(leadlift.__all__)
    with pytest.raises(AttributeError, match="no attribute 'run_studdy'"):
        leadlift.run_studdy  # noqa: B018


@pytest.mark.parametrize(
    "code",
    [
        "import leadlift",
        "import sys; sys.argv = ['leadlift', '--help']\nfrom leadlift.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass",
        "import sys; sys.argv = ['leadlift', 'run', '--help']\nfrom leadlift.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass",
        "from leadlift.base import LeadliftError, StudyResult",
    ],
)
def test_a_look_loads_nothing_heavy(code):
    report = f"\nimport sys; print('LOADED', *[name for name in {sorted(HEAVY)!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_the_import_is_quick():
    """Under half a second; the best of three, for a busy machine."""
    code = "import time; start = time.perf_counter(); import leadlift; print(time.perf_counter() - start)"
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(times) < 0.5
