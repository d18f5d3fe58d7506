"""Stage attributed: images with attributes, to train attribute networks on and to test them."""

from debugset.base.command import run
from debugset.base.files import replacing_folder
from debugset.base.params import read
from debugset.base.paths import ATTRIBUTED, TRAIN
from debugset.base.progress import progress
from debugset.datasets.sections import attribute_sets, check_section
from debugset.images.sets import open_set, write_set


def main() -> None:
    """Write the training set and the test set of the source that params name; empty ones if it is `none`."""
    params = check_section(read(), "attributed")
    sets = attribute_sets(params)
    if params.source == "none":
        print("attributed: no images, for `attributed.source` is none")
    with replacing_folder(ATTRIBUTED) as folder:
        for name, (records, dropped) in sets.items():
            (folder / name).mkdir()
            write_set(folder / name, progress(records, f"attributed: {name}", unit=" images"), ("image",))
            if dropped:
                print(f"attributed: {name}: {dropped} photos dropped, their boxes hold nothing of them")
            if name == TRAIN and params.source != "none" and not len(open_set(folder / name)):
                what = f"no image is left of source {params.source}, {dropped} dropped since their boxes hold nothing"
                mend = "mend the collection, or say `attributed.source: none`"
                raise ValueError(f"{ATTRIBUTED / name}: {what} of them; {mend}")


if __name__ == "__main__":
    run(main)
