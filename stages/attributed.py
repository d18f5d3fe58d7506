"""Stage attributed: images with attributes, to train attribute networks on and to test them."""

from debugset.base.command import run
from debugset.base.files import replacing_folder
from debugset.base.params import read
from debugset.base.paths import ATTRIBUTED
from debugset.base.progress import progress
from debugset.datasets.sections import attribute_sets, check_section
from debugset.images.sets import write_set


def main() -> None:
    """Write the training set and the test set of the source that params name; empty ones if it is `none`."""
    sets = attribute_sets(check_section(read(), "attributed"))
    with replacing_folder(ATTRIBUTED) as folder:
        for name, (records, dropped) in sets.items():
            (folder / name).mkdir()
            write_set(folder / name, progress(records, f"attributed: {name}", unit=" images"), ("image",))
            if dropped:
                print(f"attributed: {name}: {dropped} photos dropped, their boxes hold nothing of them")


if __name__ == "__main__":
    run(main)
