"""The page on strategies: its example runs as it stands, and it names every strategy."""

import re
from pathlib import Path

from leadlift.base.strategies import known_names

PAGE = (Path(__file__).parents[2] / "docs" / "strategies.md").read_text(encoding="utf-8")


def test_the_ten_lines_run_as_they_stand(folder):
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code is not None
    found: dict = {}
    exec(compile(code[1].replace("leads=3_000", "leads=1_500"), "docs/strategies.md", "exec"), found)
    assert {row.strategy for row in found["result"].strategies} >= {"big_first", "score_first", "random"}


def test_every_strategy_is_documented():
    assert [name for name in known_names() if f"`{name}`" not in PAGE] == []


def test_its_configuration_is_one(folder):
    from leadlift.base.strategies import DecideConfig, StrategyConfig, ValueConfig
    from leadlift.base.yaml import read_yaml

    block = re.search(r"\n\n((?:    .*\n)+)", PAGE)
    assert block is not None
    path = Path("strategies.yaml").absolute()
    text = re.sub("^    ", "", block[1], flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
    values = read_yaml(path)
    assert [StrategyConfig.model_validate(one).strategy for one in values["strategies"]][-1] == "bant"
    assert DecideConfig.model_validate(values["decide"]).capacity == 400
    assert ValueConfig.model_validate(values["value"]).unit == "EUR"
