"""What other backgrounds make of errors, and the scores of blame, one error and one feature at a time."""


def causes(layer, labels, features, exchanged):
    """Of each error: predicted class, wins, caused, used, fell_most, largest."""
    rows = []
    for label, activations, backgrounds in zip(labels, features, exchanged, strict=True):
        predicted = first_highest(logits(layer, activations))
        wins = sum(first_highest(logits(layer, other)) == label for other in backgrounds)
        used, falls, contributions = [], [], []
        for feature in range(len(activations)):
            weight = layer.weights[feature, predicted]
            if weight != 0:
                push = weight - layer.weights[feature, label]
                elsewhere = sum(float(other[feature]) for other in backgrounds) / len(backgrounds)
                used.append(feature)
                falls.append(push * (float(activations[feature]) - elsewhere))
                contributions.append(weight * float(activations[feature]))
        fell_most = used[first_highest(falls)] if used else -1
        largest = used[first_highest(contributions)] if used else -1
        rows.append((predicted, wins, 2 * wins >= len(backgrounds), len(used), fell_most, largest))
    return rows


def logits(layer, activations):
    """A list of each class's logit."""
    classes = range(layer.weights.shape[1])
    features = range(len(activations))
    sums = [sum(float(activations[place]) * layer.weights[place, class_] for place in features) for class_ in classes]
    return [total + layer.bias[class_] for class_, total in enumerate(sums)]


def first_highest(values):
    """The place of the highest value, of equal ones the first."""
    return max(range(len(values)), key=lambda place: (values[place], -place))
