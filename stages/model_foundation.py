"""Stage model-foundation: the foundation embedder, with ready weights."""

from debugset.base.command import run
from debugset.base.params import load
from debugset.base.paths import MODELS
from debugset.models.classifier import save_model
from debugset.models.params import EmbeddersParams
from debugset.models.weights import load_pretrained


def main() -> None:
    """Fetch and convert the model of the foundation slot."""
    params = load("embedders", EmbeddersParams)
    model = load_pretrained(params.foundation, params.foundation_file, params.foundation_sha256)
    save_model(MODELS / "foundation", *model)


if __name__ == "__main__":
    run(main)
