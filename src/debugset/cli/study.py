"""``debugset study``: pages on which people say what they see in a model's features, and what their answers tell."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from debugset.base.paths import DIAGNOSIS, MODELS, SETS, STUDIES, TEST
from debugset.cli.place import given

Kind = Literal["simulatability", "description", "misclassification"]
_Kit = Annotated[Path, typer.Argument(metavar="KIT", parser=given, help="A kit's folder.")]

app = typer.Typer(
    help="Ask people what they see in a model's features: make a study's page, and score the answers.",
    no_args_is_help=True,
)


@app.command()
def make(
    kind: Annotated[Kind, typer.Argument(help="What people are asked.")],
    model: Annotated[str, typer.Option(help="Whose features are shown.")] = "robust",
    layer: Annotated[
        str, typer.Option(help="Its decision layer, sparse or dense; barlow: the features of its failure modes.")
    ] = "sparse",
    tasks: Annotated[int, typer.Option(min=1, help="How many tasks.")] = 30,
    random_state: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    largest: Annotated[
        bool, typer.Option("--largest", help="simulatability: a class's five largest features, not random ones.")
    ] = False,
    images: Annotated[str, typer.Option("--set", help="The image set that is asked about.")] = DIAGNOSIS,
    pictures: Annotated[str, typer.Option(help="The image set whose images show what a feature is.")] = TEST,
    into: Annotated[
        Path | None, typer.Option(metavar="FOLDER", parser=given, help="Where to; by default studies/KIND.")
    ] = None,
) -> None:
    """Make a study's kit: one page for annotators, which works from disk, and the truth beside it.

    simulatability: from five features of a hidden class, which of three images activates it most?

    description: what do images that activate a feature share, and does it belong to the object?

    misclassification: does the feature that is blamed for an error match the image?
    """
    from debugset.studies.inputs import read_inputs
    from debugset.studies.kit import PAGE, TRUTH, write_kit
    from debugset.studies.making import Request, make_kit

    if largest and kind != "simulatability":
        raise ValueError(f"--largest: has no meaning for {kind}; leave it out")
    if layer == "barlow" and kind != "description":
        raise ValueError(f"--layer: {kind} needs a decision layer; name sparse or dense")
    request = Request(kind, model, layer, tasks, random_state, largest)
    inputs = read_inputs(request, images, pictures)
    kit = make_kit(request, inputs)
    folder = into or STUDIES / kind
    write_kit(folder, kit, inputs.images, inputs.pictures)
    only = "" if len(kit.tasks) == tasks else "; there are no more"
    print(f"wrote {len(kit.tasks)} tasks to {folder / PAGE}{only}")
    print(f"give people that file alone, for {folder / TRUTH} holds the truth")
    print(f"next: `debugset study score {folder} ANSWERS...`")


@app.command()
def answer(
    kit: _Kit,
    who: Annotated[
        str, typer.Option("--as", metavar="SCRIPT", help="oracle, chance, or an embedder that sees, as foundation.")
    ],
    random_state: Annotated[int, typer.Option(min=0, help="Of chance.")] = 0,
) -> None:
    """Let a script answer a simulatability kit, to prove the machinery; its answers are labelled as such.

    An embedder compares each image with the features' pictures; it must not be the model whose features these are.
    The oracle knows the true activations of the features that are shown.
    """
    from debugset.studies import scripted
    from debugset.studies.answers import write_answers
    from debugset.studies.kit import read_kit

    opened = read_kit(kit)
    if who == "oracle":
        answers = scripted.answer_as_oracle(opened)
    elif who == "chance":
        answers = scripted.answer_by_chance(opened, random_state)
    else:
        answers = scripted.answer_as_embedder(opened, who, SETS, MODELS)
    path = kit / f"scripted-{who}.json"
    write_answers(path, opened, who, answers, scripted=True)
    print(f"wrote the scripted answers to {path}")


@app.command()
def score(
    kit: _Kit,
    answers: Annotated[
        list[Path], typer.Argument(metavar="ANSWERS", parser=given, help="Files that annotators saved.")
    ],
) -> None:
    """Score answers: print the figures with 95 % intervals and write them to KIT/scores.json.

    People are scored together, scripts each for itself. Of descriptions a cloud of their words goes to KIT/words.html.
    """
    from debugset.base.files import replacing_file, write_json
    from debugset.studies.answers import read_answers
    from debugset.studies.kit import read_kit
    from debugset.studies.scores import compute_scores, scores_json, scores_text
    from debugset.studies.word_cloud import words_page

    opened = read_kit(kit)
    table = read_answers(answers, opened)
    scores = compute_scores(opened, table)
    write_json(kit / "scores.json", scores_json(opened, table, scores))
    print(scores_text(opened, table, scores))
    if opened.kind == "description":
        path = kit / "words.html"
        with replacing_file(path) as temporary:
            temporary.write_text(words_page(opened.tasks, table), encoding="utf-8")
        print(f"words: {path}")
