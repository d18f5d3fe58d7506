"""Stage model-foundation: the foundation embedder, with ready weights."""

from debugset.base.command import run
from debugset.base.params import load
from debugset.base.paths import MODELS
from debugset.models.classifier import save
from debugset.models.params import EmbeddersParams
from debugset.models.weights import pretrained


def main() -> None:
    """Fetch and convert the model of the foundation slot."""
    params = load("embedders", EmbeddersParams)
    save(MODELS / "foundation", *pretrained(params.foundation, params.foundation_file, params.foundation_sha256))


if __name__ == "__main__":
    run(main)
