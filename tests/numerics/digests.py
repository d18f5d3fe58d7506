"""Print a digest of each kind of sum that the product computes, a line each: equal lines are equal bits.

usage: python digests.py PARAMS.yaml, with the folder src in PYTHONPATH
"""

import hashlib
import sys
from pathlib import Path
from unittest.mock import MagicMock

from debugset.base.numerics import settle

settle(Path(sys.argv[1]))  # as a stage begins: before the libraries below

# torch's compiler: torchvision and the optimisers import it, nothing here uses it, and loading it takes an emulated CPU
# half a minute.
compiler = MagicMock(disable=lambda function, *_, **__: function)
sys.modules |= {"torch._dynamo": compiler, "torch._dynamo.utils": compiler.utils}

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from PIL import Image  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402

from debugset.barlow.information import mutual_information  # noqa: E402
from debugset.features.neighbours import nearest  # noqa: E402
from debugset.models.classifier import build  # noqa: E402
from debugset.models.inference import prepare_for_inference  # noqa: E402
from debugset.models.registry import find_architecture  # noqa: E402
from debugset.models.weights import load_pretrained  # noqa: E402
from debugset.relations.networks import SmallAlexNet  # noqa: E402
from debugset.sparse.elastic_net import elastic_net_path  # noqa: E402
from debugset.training.loop import weighted_cross_entropy  # noqa: E402


def tell(name, *arrays):
    """Print the digest of arrays or tensors."""
    digest = hashlib.sha256()
    for array in arrays:
        array = array.detach() if isinstance(array, torch.Tensor) else array
        digest.update(np.ascontiguousarray(array).tobytes())
    print(name, digest.hexdigest(), flush=True)


def uniform(rng, *shape):
    """Random numbers in [0, 1) as a tensor."""
    return torch.from_numpy(rng.random(shape, dtype=np.float32))


def main():
    """Each digest has a generator of its own, so that one can be left out without changing the others."""
    training(np.random.default_rng(0))
    relations(np.random.default_rng(1))
    embedding(np.random.default_rng(2))
    algebra(np.random.default_rng(3))
    rules(np.random.default_rng(4))
    rest(np.random.default_rng(5))
    sparse(np.random.default_rng(6))


def training(rng):
    """Two steps of the default's network. Four images: an emulated CPU takes seconds for each."""
    torch.manual_seed(0)
    network = build(find_architecture("test_resnet"), 10).to(memory_format=torch.channels_last).train()
    pixels = uniform(rng, 4, 3, 32, 32).contiguous(memory_format=torch.channels_last)
    labels, weights = torch.from_numpy(rng.integers(0, 10, 4)), torch.ones(4)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    for _ in range(2):
        optimiser.zero_grad()
        weighted_cross_entropy(network(pixels), labels, weights, 0.1).backward()
        optimiser.step()
    tell("training", *network.state_dict().values())


def relations(rng):
    """A gradient of the attribute network: convolutions, products and softplus."""
    torch.manual_seed(0)
    network = SmallAlexNet(12)
    scores = network(uniform(rng, 4, 3, 64, 64))
    F.softplus(-scores * (2 * uniform(rng, 4, 12) - 1)).sum().backward()
    tell("relations", *(parameter.grad for parameter in network.parameters()))


def embedding(rng):
    """Features by the default's foundation embedder, batch norm folded."""
    classifier = prepare_for_inference(load_pretrained("effnet_lite0")[0])
    with torch.inference_mode():
        tell("embedding", classifier.features(uniform(rng, 2, 3, 64, 64).contiguous(memory_format=torch.channels_last)))


def algebra(rng):
    """Products, decompositions and exponentials of numpy and torch."""
    double, single = rng.normal(size=(150, 120)), rng.normal(size=(120, 150)).astype(np.float32)
    tell("numpy", double @ double.T, single @ single.T, np.linalg.svd(double)[1], np.exp(double), np.exp(single))
    double, single = torch.from_numpy(double), torch.from_numpy(single)
    products = double @ double.T, single @ single.T, torch.exp(double), torch.softmax(single, 1)
    tell("torch", *products, *torch.linalg.qr(double))


def rules(rng):
    """Mutual information, trees, regression and neighbours."""
    features, failed = rng.normal(size=(200, 8)).astype(np.float32), rng.random(200) < 0.3
    tell("information", *(mutual_information(features, failed, estimator=name) for name in ("binned", "ksg")))
    tree = DecisionTreeClassifier(random_state=0, max_depth=4).fit(features, failed).tree_
    tell("scikit-learn", tree.threshold, LogisticRegression(max_iter=200).fit(features, failed).coef_)
    tell("neighbours", *nearest(features[:10], features[10:], 3))


def rest(rng):
    """A picture resized, and a large sum."""
    picture = Image.fromarray((rng.random((50, 70, 3)) * 255).astype(np.uint8))
    tell("pictures", picture.resize((96, 96), Image.Resampling.BICUBIC))
    values = rng.normal(size=100_000).astype(np.float32)
    tell("sums", values.sum(), values.mean(dtype=np.float64), torch.from_numpy(values).sum(), np.log1p(np.abs(values)))


def sparse(rng):
    """Sparse decision layers, of blocks that several threads work on."""
    labels = rng.integers(0, 3, 300)
    features = np.maximum(rng.normal(size=(300, 20)) + np.eye(3, 20)[labels], 0).astype(np.float32)
    path = elastic_net_path(features, labels, n_lambdas=5, epsilon=0.03, dense_end=False, block_rows=128)
    tell("sparse", path.weights, path.bias, path.objective, path.kkt, path.steps)


if __name__ == "__main__":
    main()
