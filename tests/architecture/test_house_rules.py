"""House rules that a linter does not know. Each has its few exceptions by name."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("app", "bot", "crm", "mailbridge", "provider", "scheduler", "web")
MODULES = sorted(path for folder in OURS for path in (ROOT / folder).rglob("*.py"))
TREES = {path: ast.parse(path.read_text("utf-8")) for path in MODULES}
LONGEST = 400
FORBIDDEN_WORDS = {"manager", "managers", "helper", "helpers", "util", "utils", "misc", "common"}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def found(pattern: str, *, but: tuple[str, ...] = (), within: tuple[str, ...] = OURS) -> list[str]:
    """Places of calls whose name fits the pattern."""
    return [
        place(path, node)
        for path in MODULES
        if str(path.relative_to(ROOT)) not in but and path.relative_to(ROOT).parts[0] in within
        for name, node in calls(path)
        if re.search(pattern, name)
    ]


def test_the_desk_itself_never_ends_a_transaction() -> None:
    assert found(r"\.(commit|rollback)$", within=("crm",)) == []


def test_only_one_module_reads_the_clock() -> None:
    pattern = r"(^|\.)(now|utcnow|today|fromtimestamp)$|^time\.(time|localtime)$"
    clocks = {
        "app/boxes.py",
        "app/carrying_out.py",
        "app/cloud_action.py",
        "app/cloud_look.py",
        "app/demo.py",
        "app/organizations.py",
        "app/run.py",
        "app/sla.py",
        "app/story.py",
    }
    # These are the edges: they hand `crm.time.utcnow` on.
    assert [p for p in found(pattern, but=("crm/time.py",)) if p.split(":")[0] not in clocks] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_task_is_started_that_nobody_waits_for(path: Path) -> None:
    """Tasks belong to a TaskGroup, which waits for them and hears of their errors."""
    # The composition root keeps each role's task, waits for it and listens to its end.
    kept = {"app/run.py": 2, "app/demo.py": 1}
    loose = [
        place(path, node)
        for name, node in calls(path)
        if re.search(r"^asyncio\.(create_task|ensure_future)$|^loop\.create_task$", name)
    ]
    assert len(loose) <= kept.get(str(path.relative_to(ROOT)), 0), loose


def test_markup_is_never_parsed_by_telegram() -> None:
    for path in MODULES:
        source = path.read_text("utf-8")
        assert "parse_mode" not in source, path
        assert "ParseMode" not in source, path


def test_one_module_reads_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT)) for path in MODULES if re.search(r"os\.(environ|getenv)", path.read_text("utf-8"))
    }
    assert readers <= {"app/settings.py", "app/demo.py"}


def test_no_network_is_used_by_what_decides() -> None:
    """Handlers and the worker never call Telegram: what leaves is an outbox row."""
    inside = [*(ROOT / "bot" / "handlers").glob("*.py"), ROOT / "bot" / "middlewares.py", ROOT / "bot" / "context.py"]
    for path in inside:
        for name, node in calls(path):
            assert not re.search(r"client\.call$|bot\.[a-z_]+$|message\.(answer|reply)|query\.answer$", name), place(
                path, node
            )


def test_pure_modules_import_neither_database_nor_network() -> None:
    pure = [
        *("crm/tickets/status.py", "crm/tickets/thanks.py", "crm/tickets/outward.py", "crm/notices.py"),
        *(
            f"crm/sla/{name}.py"
            for name in (
                "calendar",
                "clock",
                "closing",
                "explain",
                "hours",
                "offsets",
                "policy",
                "spec",
                "steps",
                "whatif",
                "windows",
            )
        ),
        *("bot/views.py", "bot/team_views.py", "bot/admin_views.py", "bot/keyboards.py", "bot/callbacks.py"),
        *("bot/content.py", "bot/refusals.py", "bot/rendered.py", "bot/windows.py"),
        *("bot/why_views.py", "bot/maintenance_views.py", "bot/emergency_views.py"),
        *(f"mailbridge/{name}.py" for name in ("answers", "compose", "entities", "headers")),
        *(f"mailbridge/{name}.py" for name in ("parse", "fields", "addresses", "charsets", "transfer", "mime", "body")),
        *(f"mailbridge/{name}.py" for name in ("hypertext", "files", "flowed", "invitation", "marks", "read", "reply")),
        *(f"mailbridge/{name}.py" for name in ("richtext", "smime", "tnef", "wire", "automatic", "bounces", "sender")),
        *("crm/cloud/trial_steps.py", "crm/cloud/trial_notices.py", "crm/mail/domains.py", "bot/trial_views.py"),
        *("bot/duty_words.py", "bot/duty_views.py", "crm/people/shifts.py"),
    ]
    for name in pure:
        source = (ROOT / name).read_text("utf-8")
        assert not re.search(r"^(from|import) (sqlalchemy|asyncpg|aiohttp|asyncio)\b", source, re.M), name


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_names_say_what_a_thing_is(path: Path) -> None:
    words = set(path.relative_to(ROOT).with_suffix("").parts)
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.ClassDef):
            words |= set(re.findall(r"[A-Z][a-z]+", node.name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            words |= set(node.name.split("_"))
    assert not {word.lower() for word in words} & FORBIDDEN_WORDS


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert path.name == "__init__.py" or ast.get_docstring(TREES[path])


def test_relations_of_the_orm_are_never_loaded_behind_ones_back() -> None:
    for path in MODULES:
        for name, node in calls(path):
            if name.endswith("relationship"):
                lazy = [ast.unparse(k.value) for k in node.keywords if k.arg == "lazy"]
                assert lazy == ["'raise'"], place(path, node)
