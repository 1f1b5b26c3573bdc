"""`.env.example` names every setting and nothing else, each under a line that explains it."""

import re
from pathlib import Path

from app.mail_settings import mail_names
from app.settings import Settings, cloud_name, load, token_name

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
LINES = EXAMPLE.splitlines()
ASSIGNED = re.compile(r"^([A-Z_]+)=(.*)$")


def named() -> dict[str, str]:
    return {found[1]: found[2] for line in LINES if (found := ASSIGNED.match(line))}


def known() -> set[str]:
    fields = {name.upper() for name in Settings.model_fields} - {"TOKENS", "MAIL", "CLOUDS"}
    desks = Settings().desks
    return (
        fields
        | {name(desk) for desk in desks for name in (token_name, cloud_name)}
        | {name for desk in desks for name in mail_names(desk)}
    )


def test_every_setting_is_named_and_nothing_else() -> None:
    assert set(named()) == known()
    assert sum(bool(ASSIGNED.match(line)) for line in LINES) == len(known())


def test_each_is_explained_right_above_it() -> None:
    for number, line in enumerate(LINES):
        if ASSIGNED.match(line):
            above = number
            # Settings that stand together share their explanation.
            while above and ASSIGNED.match(LINES[above]):
                above -= 1
            assert LINES[above].startswith("# "), line


def test_there_is_nothing_but_settings_explanations_and_blank_lines() -> None:
    for line in LINES:
        assert not line or line.startswith("# ") or ASSIGNED.match(line), line


def test_the_example_as_it_stands_is_the_default(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(EXAMPLE, "utf-8")
    assert load(path, {}) == load(tmp_path / "absent", {})
