"""The bootstrap in plain loops: draw images, draw random states, average."""


def bootstrap(correct, resamples, generator):
    """By variant, the accuracy in every resample."""
    images = next(iter(correct.values()))[1].shape[1]
    image_draws = generator.integers(images, size=(resamples, images))
    seed_draws = {}
    for random_states in sorted({random_states for random_states, _ in correct.values()}):
        seed_draws[random_states] = generator.integers(len(random_states), size=(resamples, len(random_states)))
    found = {variant: [] for variant in correct}
    for resample in range(resamples):
        for variant, (random_states, right) in correct.items():
            values = [
                float(right[random_state, image])
                for random_state in seed_draws[random_states][resample]
                for image in image_draws[resample]
            ]
            found[variant].append(sum(values) / len(values))
    return found
