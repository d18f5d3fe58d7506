"""Removals written straight from their definition: every set is tried, image by image and class by class."""

from itertools import combinations


def logits_of(layer, activations):
    logits = []
    for class_ in range(len(layer.bias)):
        added = [activation * layer.weights[f, class_] for f, activation in enumerate(activations)]
        logits.append(sum(added) + layer.bias[class_])
    return logits


def predict(layer, activations):
    logits = logits_of(layer, activations)
    return logits.index(max(logits))


def margin(layer, activations, baseline, label, removed):
    """By how much the true class leads the best other one once features have their baselines."""
    logits = logits_of(layer, activations)
    leads = []
    for class_ in range(len(logits)):
        if class_ == label:
            continue
        lead = logits[label] - logits[class_]
        for f in removed:
            lead += gain(layer, activations, baseline, label, class_, f)
        leads.append(lead)
    return min(leads)


def gain(layer, activations, baseline, label, class_, f):
    """What the removal of a feature adds to the lead over a class."""
    return (activations[f] - baseline[f]) * (layer.weights[f, class_] - layer.weights[f, label])


def smallest_set(layer, activations, baseline, label, largest=10):
    """All sets of one, two, three features; then greedily."""
    predicted = predict(layer, activations)
    used = sorted(
        layer.used(predicted).tolist(), key=lambda f: -gain(layer, activations, baseline, label, predicted, f)
    )
    for size in (1, 2, 3):
        best, chosen = 0, []
        for removed in combinations(used, size):
            reached = margin(layer, activations, baseline, label, removed)
            if reached > best:
                best, chosen = reached, list(removed)
        if chosen:
            return chosen
    removed = []
    while len(removed) < min(largest, len(used)):
        left = [f for f in used if f not in removed]
        margins = [margin(layer, activations, baseline, label, [*removed, f]) for f in left]
        removed.append(left[margins.index(max(margins))])
        if max(margins) > 0:
            return removed
    return []


def chance(layer, activations, baseline, label, size):
    """The share of all sets of so many used features that correct, of all used where there are fewer."""
    used = layer.used(predict(layer, activations)).tolist()
    every = list(combinations(used, min(size, len(used))))
    return sum(margin(layer, activations, baseline, label, removed) > 0 for removed in every) / len(every)


def deletion(layer, features, labels, counted, weights, baseline):
    """How many of the counted images become right and wrong when weights (class, feature) are deleted."""
    changed, bias = layer.weights.copy(), layer.bias.copy()
    for class_, f in weights:
        bias[class_] += changed[f, class_] * baseline[f]
        changed[f, class_] = 0
    after = type(layer)(changed, bias, layer.means, layer.scales)
    corrected = broken = 0
    for activations, label, counts in zip(features, labels, counted, strict=True):
        was, is_ = predict(layer, activations) == label, predict(after, activations) == label
        corrected += counts and is_ and not was
        broken += counts and was and not is_
    return corrected, broken
