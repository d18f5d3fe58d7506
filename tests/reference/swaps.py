"""Flips on other backgrounds, one try at a time."""


def swaps(labels, contexts, predicted, pairs, classes):
    """Of every try: kind, label, context, target, flipped, to_usual, chance."""
    rows = []
    for label, row in zip(labels, predicted, strict=True):
        for context, target in zip(contexts, row, strict=True):
            kind = "usual" if (label, context) in pairs else "unusual"
            others = [class_ for class_ in range(classes) if class_ != label]
            chance = sum((other, context) in pairs for other in others) / len(others)
            to_usual = target != label and (target, context) in pairs
            rows.append((kind, label, context, target, target != label, to_usual, chance))
    return rows


def directed(layer, labels, contexts, predicted, means, top):
    """Of every directed try, sorted: kind, class, feature, label, context, target, flipped."""
    rows = []
    for class_ in range(layer.weights.shape[1]):
        for feature in layer.used(class_)[:top].tolist():
            adds = {name: means.loc[name, feature] * layer.weights[feature, class_] for name in means.index}
            for kind, wished in (("raised", max(adds, key=adds.get)), ("lowered", min(adds, key=adds.get))):
                for label, row in zip(labels, predicted, strict=True):
                    for context, target in zip(contexts, row, strict=True):
                        if label != class_ and context == wished:
                            rows.append((kind, class_, feature, label, context, target, target == class_))
    return sorted(rows)
