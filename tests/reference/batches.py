"""Training batches as one would say them: a shuffled deck after another, and images rolled and mirrored one by one."""

import numpy as np


def batch_order(count, batch, steps, random_state):
    """The image indices of every step, dealt one at a time."""
    rng = np.random.default_rng([random_state, 1])
    deck, found = [], []
    for _ in range(steps):
        hand = []
        for _ in range(batch):
            if not deck:
                deck = rng.permutation(count).tolist()
            hand.append(deck.pop(0))
        found.append(hand)
    return found


def shifted_and_mirrored(image, down, right, mirrored):
    """An image (3, height, width) moved cyclically by ``down`` and ``right`` px, then mirrored left to right."""
    height, width = image.shape[1:]
    found = np.empty_like(image)
    for row in range(height):
        for column in range(width):
            place = (column + right) % width
            found[:, (row + down) % height, width - 1 - place if mirrored else place] = image[:, row, column]
    return found
