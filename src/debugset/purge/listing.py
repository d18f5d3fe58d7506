"""A purge as text: what it removes and where, what stays, what is left to people."""

import math

from debugset.purge.plan import REFS, Plan, Step
from debugset.purge.removal import Purge
from debugset.purge.versions import git_remotes


def found(purge: Purge) -> str:
    """All that a purge says before it asks."""
    plan, where = purge.plan, " and ".join(purge.places)
    parts = []
    if purge.resumed:
        parts.append("An earlier purge was interrupted; what it left is listed too.")
    parts += [table(plan), staying(plan)] if plan.steps else [f"Nothing holds a forgotten photo ({where} searched)."]
    if plan.unknown:
        parts.append(f"{plan.unknown} folders and tables that old versions name are gone, so nothing is known of them.")
    if purge.refs_stay:
        parts.append("The DVC remote is left alone; tags and experiments stay, for it can still restore them.")
    elif len(purge.places) == 1:
        parts.append("There is no DVC remote.")
    return "\n".join(part for part in parts if part)


def table(plan: Plan) -> str:
    """What a plan removes: git's refs, then a row an object, a file or the runs of a command, with all their places."""
    rows: dict[tuple[str, ...], list[Step]] = {}
    for step in sorted(plan.steps, key=lambda step: step.kind not in REFS):
        one = step.key if step.kind != "run" else ""
        rows.setdefault((step.kind, step.name, step.versions, one), []).append(step)
    cells: list[tuple[str, ...]] = [("kind", "name", "version", "size", "where")]
    for (kind, name, versions, _), steps in rows.items():
        count = len({step.key for step in steps})
        places = ", ".join(dict.fromkeys(step.place for step in steps))
        cells.append((kind, name, f"{count} records" if count > 1 else versions, in_bytes(steps[0].size), places))
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
