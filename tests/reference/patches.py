"""The hottest square of a map, by trying every place."""


def hottest_square(heat, side):
    """Top and left of the square with the largest sum; the first of equal ones, row by row."""
    best, place = None, None
    for top in range(heat.shape[0] - side + 1):
        for left in range(heat.shape[1] - side + 1):
            total = heat[top : top + side, left : left + side].sum()
            if best is None or total > best:
                best, place = total, [top, left]
    return place
