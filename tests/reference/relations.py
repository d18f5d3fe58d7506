"""Attribute relations straight from Zhang, Wang and Zhu's definitions: one image, one unit, one pair at a time."""

import math

import torch

MODES = ("++", "+-", "-+", "--")


def gradients(before, after, pixels, wished):
    """Equation 2: of each image and attribute, the gradient of the score by what ``before`` puts out, flattened."""
    found = []
    for image in pixels:
        of_image = []
        for attribute in wished:
            x = before(image[None]).detach().clone().requires_grad_()
            score = after(x.clone())[0, attribute]
            of_image.append(torch.autograd.grad(score, x)[0].flatten())
        found.append(torch.stack(of_image))
    return torch.stack(found)


def fidelity(contributions, keep):
    """The first term of equation 3: what the units that are left out add to the score, squared, on average."""
    total = 0.0
    for image in contributions:
        left_out = 0.0
        for unit, value in enumerate(image):
            if unit not in keep:
                left_out += float(value)
        total += left_out**2
    return total / len(contributions)


def greedy_mask(contributions, penalty, block):
    """The units kept, as a set: in a step the best few, each looked at alone, half of them while they do not help."""
    units = len(contributions[0])
    cost = penalty * fidelity(contributions, set()) / units

    def loss(keep):
        return fidelity(contributions, keep) + cost * len(keep)

    keep = set()
    while True:
        gains = {unit: loss(keep) - loss(keep | {unit}) for unit in range(units) if unit not in keep}
        best = sorted(gains, key=lambda unit: (-gains[unit], unit))[: max(1, int(block * units))]
        best = [unit for unit in best if gains[unit] > 0]
        while best and loss(keep | set(best)) >= loss(keep):
            best = best[: len(best) // 2]
        if not best:
            return keep
        keep |= set(best)


def cosine(one, other):
    """Of two vectors; 0 where one of them is zero."""
    one, other = [float(x) for x in one], [float(x) for x in other]
    lengths = math.sqrt(sum(x * x for x in one)), math.sqrt(sum(x * x for x in other))
    if not all(lengths):
        return 0.0
    return sum(x * y for x, y in zip(one, other, strict=True)) / lengths[0] / lengths[1]


def gaussian_mass(low, high, mean, std):
    """Of a Gaussian between two values."""
    return (math.erf((high - mean) / std / math.sqrt(2)) - math.erf((low - mean) / std / math.sqrt(2))) / 2


def share(sample, low, high, bandwidth):
    """Of a sample that falls between two values, its kernel renormalised in [-1, 1]; without one it counts whole."""
    if bandwidth:
        return gaussian_mass(low, high, sample, bandwidth) / gaussian_mass(-1, 1, sample, bandwidth)
    return float(low <= sample < high or sample == high == 1)


def divergence(cosines, mean, std, bins=40, bandwidth=0.05, floor=1e-4, min_std=0.05):
    """Equation 4 over equal bins of [-1, 1]."""
    std, total = max(std, min_std), 0.0
    for number in range(bins):
        low, high = -1 + 2 * number / bins, -1 + 2 * (number + 1) / bins
        p = gaussian_mass(low, high, mean, std) / gaussian_mass(-1, 1, mean, std)
        q = sum(share(float(sample), low, high, bandwidth) for sample in cosines) / len(cosines)
        q = (1 - floor) * q + floor / bins
        if p > 0:
            total += p * math.log(p / q) if q > 0 else math.inf
    return total


def mean_and_deviation(values):
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def samples_of(cosines, shown, a, b):
    """A pair's cosines in the images that show either attribute (note 3)."""
    return [float(image[a][b]) for image, there in zip(cosines, shown, strict=True) if there[a] > 0 or there[b] > 0]


def images_of_mode(shown, a, b, mode):
    """How many images have the signs that a mode says."""
    return sum(("-+"[there[a] > 0] + "-+"[there[b] > 0]) == mode for there in shown)


def diagnose(cosines, shown, pairs, threshold=0.2, **options):
    """Section 3: a dictionary for each ``(a, b, label)``, a and b numbers."""
    samples = {(a, b): samples_of(cosines, shown, a, b) for a, b, _ in pairs}
    found = []
    for a, b, label in pairs:
        mine = samples[a, b]
        pooled = [value for c, d, other in pairs if other == label for value in samples[c, d]]
        expected = mean_and_deviation(pooled) if pooled else (math.nan, math.nan)
        row = {"images": len(mine), "expected_mean": expected[0], "expected_std": expected[1], "kind": "", "mode": ""}
        row["mean"], row["std"] = mean_and_deviation(mine) if mine else (math.nan, math.nan)
        row["kl"] = divergence(mine, *expected, **options) if mine else math.nan
        if abs(row["mean"] - expected[0]) > threshold:
            if abs(row["mean"]) < threshold:
                row["kind"] = "blind spot"
            if abs(row["mean"]) > threshold:
                row["kind"] = "failure mode"
                first, second = ("+-", "-+") if row["mean"] > 0 else ("++", "--")
                fewer = images_of_mode(shown, a, b, second) < images_of_mode(shown, a, b, first)
                row["mode"] = second if fewer else first
        found.append(row)
    return found


def attribute_divergence(pairs, divergences, attribute):
    """Equation 5: a sum over the labelled neighbours, each with the share 1 / degree."""
    neighbours = [kl for (a, b), kl in zip(pairs, divergences, strict=True) if attribute in (a, b)]
    return sum(kl / len(neighbours) for kl in neighbours)


def entropy(shown, a, b):
    """Of the annotations of a pair, without the images that show neither (note 3)."""
    counts = [images_of_mode(shown, a, b, mode) for mode in MODES[:3]]
    return -sum(count / sum(counts) * math.log(count / sum(counts)) for count in counts if count)


def accuracies(shown, right, a, b, mode):
    """Experiment 3: of both attributes on ordinary images, and on those of the mode."""

    def accuracy(attribute, wished):
        answers = [bool(row[attribute]) for row, there in zip(right, shown, strict=True) if wished(there)]
        return sum(answers) / len(answers) if answers else math.nan

    def has(attribute, sign):
        return lambda there: (there[attribute] > 0) == (sign == "+")

    def both(there):
        return has(a, mode[0])(there) and has(b, mode[1])(there)

    ordinary = (accuracy(a, has(a, mode[0])) + accuracy(b, has(b, mode[1]))) / 2
    return ordinary, (accuracy(a, both) + accuracy(b, both)) / 2


def contribution_map(gradients, activations, keep, shape):
    """What each place of a layer adds to a score, channel by channel."""
    channels, height, width = shape
    found = [[0.0] * width for _ in range(height)]
    for channel in range(channels):
        for row in range(height):
            for column in range(width):
                unit = (channel * height + row) * width + column
                found[row][column] += float(gradients[unit]) * float(activations[unit]) * bool(keep[unit])
    return found
