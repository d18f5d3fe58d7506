"""The images that activate features most, by sorting all of them."""


def strongest_rows(features, chosen, rows, count):
    """Row numbers, a list a feature; the first of equal ones stands first, for sorting is stable."""
    return [
        sorted((int(row) for row in rows), key=lambda row: -float(features[row][feature]))[:count] for feature in chosen
    ]
