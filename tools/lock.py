"""Write the lock files from what pip resolves for pyproject.toml: `make lock`.

requirements.lock pins everything, development tools included. CUDA's libraries, which only some builds of
torch ask for, go to requirements-cuda.lock: requirements.lock names it as a constraint, so they are pinned
where torch wants them and absent where it does not (a CPU build, macOS). No address of an index is kept.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
CUDA_LOCK = ROOT / "requirements-cuda.lock"
HEADER = "# Written by `make lock` from pyproject.toml (Python {python}, {platform}). Do not edit.\n"


def resolve() -> dict[str, str]:
    """Name (normalised) and version of everything that pip would install into an empty environment."""
    options = ["--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    command = [sys.executable, "-m", "pip", "install", *options, f"{ROOT}[dev]"]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    found = (item["metadata"] for item in json.loads(report)["install"])
    versions = {re.sub(r"[-_.]+", "-", item["name"]).lower(): item["version"] for item in found}
    del versions["debugset"]
    return versions


def is_cuda(name: str) -> bool:
    """Whether a distribution is one of the libraries that torch's CUDA builds bring along."""
    return name.startswith(("nvidia-", "cuda-")) or name == "triton"


def main() -> None:
    """Resolve and write both files."""
    header = HEADER.format(python=f"{sys.version_info.major}.{sys.version_info.minor}", platform=sys.platform)
    # a local label such as torch's +cpu names one index's build; the version alone is the pin
    pins = {name: f"{name}=={version.split('+')[0]}\n" for name, version in sorted(resolve().items())}
    ours = "".join(pin for name, pin in pins.items() if not is_cuda(name))
    cuda = "".join(pin for name, pin in pins.items() if is_cuda(name))
    LOCK.write_text(f"{header}-c {CUDA_LOCK.name}\n{ours}", encoding="utf-8")
    CUDA_LOCK.write_text(header + cuda, encoding="utf-8")


if __name__ == "__main__":
    main()
