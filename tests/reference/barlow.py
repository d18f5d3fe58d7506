"""Barlow written straight from its definitions: estimators by counting, error rates by looping over images."""

import math

from scipy.special import digamma


def ksg(values, failed, k=3):
    """Ross' estimate for one feature; equal distances count together, the point itself does not."""
    points = [(float(x), bool(f)) for x, f in zip(values, failed, strict=True)]
    n_of = {f: sum(g == f for _, g in points) for f in (False, True)}
    if min(n_of.values()) < 2:
        return 0.0
    n, total = len(points), 0.0
    for i, (x, f) in enumerate(points):
        own = sorted(abs(x - y) for j, (y, g) in enumerate(points) if j != i and g == f)
        reach = own[min(k, len(own)) - 1]
        within_own = sum(distance <= reach for distance in own)
        within_all = sum(abs(x - y) <= reach for j, (y, _) in enumerate(points) if j != i)
        total += digamma(within_own) - digamma(n_of[f]) - digamma(within_all)
    return max(0.0, float(digamma(n) + total / n))


def binned(values, failed, bins=10):
    """Plug-in entropies of quantile bins, each with Miller and Madow's correction."""
    values = [float(x) for x in values]
    ordered, n = sorted(values), len(values)
    edges = [ordered[math.ceil(j * n / bins) - 1] for j in range(1, bins + 1)]
    bin_of = [next(j for j, edge in enumerate(edges) if x <= edge) for x in values]
    joint = list(zip(bin_of, map(bool, failed), strict=True))
    if len({f for _, f in joint}) < 2:
        return 0.0
    marginals = entropy([b for b, _ in joint]) + entropy([f for _, f in joint])
    return max(0.0, marginals - entropy(joint))


def entropy(outcomes):
    counts = {outcome: outcomes.count(outcome) for outcome in outcomes}
    n = len(outcomes)
    return -sum(c / n * math.log(c / n) for c in counts.values()) + (len(counts) - 1) / (2 * n)


def members(rule, features):
    """The images that a rule holds for."""
    found = []
    for i, image in enumerate(features):
        if all((image[f] < t) if side == "<" else (image[f] >= t) for f, side, t in rule):
            found.append(i)
    return found


def error_rate(cluster, failed):
    """Definition 1."""
    return sum(bool(failed[i]) for i in cluster) / len(cluster)


def error_coverage(cluster, failed):
    """Definition 2."""
    return sum(bool(failed[i]) for i in cluster) / sum(map(bool, failed))


def base_error_rate(failed):
    """Definition 3."""
    return error_rate(range(len(failed)), failed)


def aler(clusters, failed):
    """Definition 4."""
    return sum(error_rate(cluster, failed) * error_coverage(cluster, failed) for cluster in clusters)


def importance(cluster, failed):
    """Definition 5."""
    return error_rate(cluster, failed) * error_coverage(cluster, failed)


def at_least_by_chance(failures_inside, inside, failures, images):
    """The probability of so many failures inside or more, when the failures are spread at random."""
    ways = sum(
        math.comb(failures, hits) * math.comb(images - failures, inside - hits)
        for hits in range(failures_inside, min(inside, failures) + 1)
    )
    return ways / math.comb(images, inside)
