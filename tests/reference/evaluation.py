"""The bootstrap in plain loops: draw images, draw seeds, average."""


def bootstrap(correct, resamples, generator):
    """By variant, the accuracy in every resample."""
    images = next(iter(correct.values()))[1].shape[1]
    image_draws = generator.integers(images, size=(resamples, images))
    seed_draws = {}
    for seeds in sorted({seeds for seeds, _ in correct.values()}):
        seed_draws[seeds] = generator.integers(len(seeds), size=(resamples, len(seeds)))
    found = {variant: [] for variant in correct}
    for resample in range(resamples):
        for variant, (seeds, right) in correct.items():
            values = [
                float(right[seed, image]) for seed in seed_draws[seeds][resample] for image in image_draws[resample]
            ]
            found[variant].append(sum(values) / len(values))
    return found
