"""Imports point one way, and every package of ours is in the contract."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
NOT_CODE = {"tests", "locales", "migrations", "docs", "desks"}


def packages() -> set[str]:
    """Folders at the top that hold modules of the program."""
    return {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith(".") and (path / "__init__.py").exists()
    } - NOT_CODE


def test_the_contract_is_kept(tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--cache-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_is_in_the_contract() -> None:
    assert set(CONTRACT["root_packages"]) == packages()


def test_every_package_is_forbidden_to_somebody_or_bound_itself() -> None:
    named = set()
    for contract in CONTRACT["contracts"]:
        named |= {*contract.get("source_modules", ()), *contract.get("modules", ())}
    assert named >= packages() - {"app"}


def test_nobody_imports_the_composition_root_but_tests() -> None:
    [rule] = [c for c in CONTRACT["contracts"] if c.get("forbidden_modules") == ["app"]]
    assert set(rule["source_modules"]) == packages() - {"app"}


def test_the_desk_itself_knows_no_transport() -> None:
    [rule] = [c for c in CONTRACT["contracts"] if c.get("source_modules") == ["crm"]]
    others = packages() - {"app", "crm"}
    assert set(rule["forbidden_modules"]) >= {*others, "aiogram", "aiohttp", "apscheduler"}
