"""A purge as text: what it removes and where, what stays, what is left to people."""

import math

from debugset.purge.plan import REFS, Plan, Step
from debugset.purge.removal import Purge
from debugset.purge.versions import git_remotes

MANY = {"run": "records", "spool": "files"}  # kinds of which there are too many for a row each


def found(purge: Purge) -> str:
    """All that a purge says before it asks."""
    plan, where = purge.plan, " and ".join(purge.places)
    parts = []
    if purge.resumed:
        parts.append("What an earlier purge left is listed too.")
    parts += [table(plan), staying(plan)] if plan.steps else [f"Nothing holds a forgotten photo ({where} searched)."]
    if plan.unknown:
        parts.append(f"{plan.unknown} folders and tables that old versions name are gone, so nothing is known of them.")
    if purge.left_alone:
        parts.append(
            f"Not searched, by choice or because nothing is at its address: {', '.join(purge.left_alone)}. So tags, "
            "experiments and records of runs stay, by which that is found; run `debugset purge` for all in the end."
        )
    elif len(purge.places) == 1:
        parts.append("There is no DVC remote.")
    return "\n".join(part for part in parts if part)


def table(plan: Plan) -> str:
    """What a plan removes: git's refs, then a row an object, with its places, or a row for many runs or files."""
    rows: dict[tuple[str, ...], list[Step]] = {}
    for step in sorted(plan.steps, key=lambda step: step.kind not in REFS):
        one = step.key if step.kind not in MANY else ""
        rows.setdefault((step.kind, step.name, step.versions, one), []).append(step)
    cells: list[tuple[str, ...]] = [("kind", "name", "version", "size", "where")]
    for (kind, name, versions, _), steps in rows.items():
        count = len({step.key for step in steps})
        places = list(dict.fromkeys(step.place for step in steps))
        size = sum(step.size for step in steps if step.place == places[0])  # the same in each
        many = f"{count} {MANY[kind]}" if count > 1 else versions
        cells.append((kind, name, many, in_bytes(size), ", ".join(places)))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    things = len({(step.kind, step.key, step.commit) for step in plan.steps})
    return "\n".join([*lines, f"{things:,} in all, {in_bytes(sum(step.size for step in plan.steps))}"])


def staying(plan: Plan) -> str:
    """The commits that keep naming what is removed."""
    if not plan.commits:
        return ""
    heading = "These commits stay, for branches are never touched; their data can no longer be restored:"
    return "\n".join([heading, *(f"  {commit}" for commit in plan.commits)])


def left_to_you(plan: Plan) -> str:
    """What purging cannot reach: git's remotes, other clones."""
    refs = [
        step.name if step.kind == "tag" else step.key
        for step in plan.steps
        if step.kind == "tag" or (step.kind == "experiment" and "/exec/" not in step.key)
    ]
    commands = [f"  git push --delete {remote} {ref}" for remote in git_remotes() for ref in refs]
    heading = ["If these refs were pushed, remove them there too:"] if commands else []
    others = "Other clones, caches, remotes and backups keep what they have: purge or delete there as well."
    return "\n".join([*heading, *commands, others])


def in_bytes(size: int) -> str:
    """A number of bytes as people read it; "" for none."""
    if not size:
        return ""
    if size < 1000:
        return f"{size} B"
    unit = min(int(math.log(size, 1000)), 4)
    return f"{size / 1000**unit:.1f} {' kMGT'[unit]}B"
