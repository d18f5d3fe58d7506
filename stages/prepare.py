"""Stage prepare: the image sets, and in the default also the simulator's world of photos."""

from debugset.base.command import run
from debugset.base.files import replacing_folder
from debugset.base.params import read
from debugset.base.paths import SETS, TRAIN, WORLD
from debugset.base.progress import progress
from debugset.datasets import imagenet
from debugset.datasets.collection import collection_root
from debugset.datasets.fashion import CLASSES, ROLES, DrawnImage, FashionParams, draw_set, fill_wardrobe
from debugset.datasets.fashion_mnist import read_garments, read_photographs
from debugset.datasets.photos import draw_world
from debugset.datasets.sections import check_section
from debugset.images.sets import write_manifest, write_set


def main() -> None:
    """Write the five sets and the world of the source that params name."""
    params = check_section(read(), "prepare")
    if isinstance(params, imagenet.ImageNetParams):
        _describe_imagenet(params)
    else:
        _draw_fashion(params)


def _draw_fashion(params: FashionParams) -> None:
    """Draw the five sets and the world, all disjoint in garments."""
    photographs, clothes = read_photographs(), fill_wardrobe(*read_garments(), params.random_state)
    tests: list[DrawnImage] = []
    for name in progress(ROLES, what="prepare: sets"):
        images = draw_set(name, params, clothes, photographs)
        with replacing_folder(SETS / name) as folder:
            write_set(folder, images, CLASSES)
        if name != TRAIN:
            tests += images
    photos = draw_world(params, clothes, photographs, tests)
    with replacing_folder(WORLD) as folder:
        write_set(folder, progress(photos, what="prepare: photos", unit=" photos"), CLASSES)


def _describe_imagenet(params: imagenet.ImageNetParams) -> None:
    """Describe the five sets' files where they lie; the world is empty, for the pool comes from Flickr."""
    root, classes = collection_root(imagenet.ROOT_VARIABLE, imagenet.CONTENT), imagenet.class_names()
    for name, files in imagenet.list_sets(root, params).items():
        manifest = imagenet.describe_files(root, files, f"prepare: {name}")
        with replacing_folder(SETS / name) as folder:
            write_manifest(folder, manifest, classes, root_variable=imagenet.ROOT_VARIABLE)
    with replacing_folder(WORLD) as folder:
        write_set(folder, [], classes)


if __name__ == "__main__":
    run(main)
