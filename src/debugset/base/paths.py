"""Where the pipeline's files lie, relative to the repository's folder, and the image sets by their roles."""

from pathlib import Path

TRAIN, TEST, SEED_SOURCE, HELDOUT_SOURCE, DIAGNOSIS = "train", "test", "seed_source", "heldout_source", "diagnosis"
EVALUATED = (TEST, SEED_SOURCE, HELDOUT_SOURCE, DIAGNOSIS)  # nothing is trained on these
DEVAL = "deval"  # de-val is no folder: pool images that were picked to choose an embedder by

PARAMS_FILE = Path("params.yaml")
SETS = Path("data/sets")
WORLD = Path("data/world")
POOL = Path("data/pool")
ATTRIBUTION = Path("data/attribution")
PHOTOS = Path("data/photos.parquet")
SCRAPE = Path("data/scrape.json")
FEATURES = Path("data/features")
MODELS = Path("models")
ERRORS = Path("data/errors")
DEDUP = Path("data/dedup")
PICKS = Path("data/picks")
ADDED = Path("data/added")
VARIANTS = Path("models/variants")
EVALUATION = Path("data/evaluation")
RETENTION = Path("data/retention.parquet")
BARLOW = Path("data/barlow")
SPARSE = Path("data/sparse")
REMEASURED = Path("data/remeasured.parquet")
ATTRIBUTED = Path("data/attributed")
ATTRIBUTE_NETWORKS = Path("models/attributes")
RELATIONS = Path("data/relations")
SPARSE = Path("data/sparse")
METRICS = Path("metrics")
PLOTS = Path("plots")
PAGE = Path("report/index.html")
CARDS = Path("report/cards")

SOURCES = Path("sources")
FORGOTTEN = Path("forgotten.txt")
MENDED_MODES = Path("errors.modes")
GROUND_TRUTH = Path("ground_truth")
STUDIES = Path("studies")
