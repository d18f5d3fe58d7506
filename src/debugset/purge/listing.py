"""A purge as text: what it removes and where, what stays, what is left to people."""

from humanize import naturalsize

from debugset.base.git import git
from debugset.base.text_table import text_table
from debugset.purge.plan import REFS, Plan, Step
from debugset.purge.removal import Purge

_MANY = {"run": "records", "spool": "files"}  # kinds of which there are too many for a row each


def summary(purge: Purge) -> str:
    """All that a purge says before it asks."""
    plan = purge.plan
    parts = []
    if purge.resumed:
        parts.append("What an earlier purge left is listed too.")
    if plan.steps:
        parts.append(_steps_table(plan))
    else:
        parts.append(f"Nothing holds a forgotten photo ({' and '.join(purge.places)} searched).")
    if plan.commits:
        heading = "These commits stay, for branches are never touched; their data can no longer be restored:"
        parts.append("\n  ".join([heading, *plan.commits]))
    if plan.unknown:
        parts.append(f"{plan.unknown} folders and tables that old versions name are gone, so nothing is known of them.")
    if purge.left_alone:
        parts.append(
            f"Not searched, by choice or because nothing is at its address: {', '.join(purge.left_alone)}. So "
            "tags, experiments and records of runs stay, by which that is found; run `debugset pool purge` for all in "
            "the end."
        )
    elif len(purge.places) == 1:
        parts.append("There is no DVC remote.")
    return "\n".join(parts)


def _steps_table(plan: Plan) -> str:
    """What a plan removes: git's refs, then a row an object, with its places, or a row for many runs or files."""
    rows: dict[tuple[str, ...], list[Step]] = {}
    for step in sorted(plan.steps, key=lambda step: step.kind not in REFS):
        apart = "" if step.kind in _MANY else step.key
        rows.setdefault((step.kind, step.name, step.versions, apart), []).append(step)
    table = text_table(("kind", "name", "version", "size", "where"), map(_cells, rows.values()))
    things = {(step.kind, step.key, step.commit) for step in plan.steps}
    return f"{table}\n{len(things):,} in all, {_size(plan.steps)}"


def _cells(steps: list[Step]) -> list[str]:
    """One row: the same thing in each of its places, or many things of a kind."""
    kind, name, versions = steps[0].kind, steps[0].name, steps[0].versions
    places: dict[str, list[Step]] = {}
    keys: set[str] = set()
    for step in steps:
        places.setdefault(step.place, []).append(step)
        keys.add(step.key)
    if len(keys) > 1:
        versions = f"{len(keys)} {_MANY[kind]}"
    first = next(iter(places.values()))  # it takes as much in each place
    return [kind, name, versions, _size(first), ", ".join(places)]


def _size(steps: list[Step]) -> str:
    """The bytes of all steps as people read them; "" for none, as of refs."""
    size = sum(step.size for step in steps)
    return naturalsize(size) if size else ""


def manual_steps(plan: Plan) -> str:
    """What purging cannot reach: git's remotes, other clones."""
    commands = []
    for remote in git("remote").split():
        for step in plan.steps:
            if step.kind == "tag":
                commands.append(f"  git push --delete {remote} {step.name}")
            elif step.kind == "experiment" and "/exec/" not in step.key:
                commands.append(f"  git push --delete {remote} {step.key}")
    if commands:
        commands.insert(0, "If these refs were pushed, remove them there too:")
    others = "Other clones, caches, remotes and backups keep what they have: purge or delete there as well."
    return "\n".join([*commands, others])
