"""The form of the paint page: two pictures and a recipe."""

from __future__ import annotations

from typing import Any, Literal

from django import forms
from PIL import Image

from styletransfer.core.types import EXTRACTORS, OPTIMISERS, STARTS, STYLE_LAYERS, Recipe
from styletransfer.files import CONTENT, STYLE, PictureFolder
from styletransfer.forms.problems import RecipeForm, choice, number, whole
from styletransfer.models import StyleJob
from styletransfer.services.pictures import LARGEST_INPUT, earlier_job, title_for
from styletransfer.starters import StarterPicture, starter
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.uploads import decode_picture, read_picture

OPTIMISER_NAMES = {"lbfgs": "L-BFGS", "adam": "Adam", "gd": "Gradient descent"}
START_NAMES = {"content": "The photo", "noise": "Noise", "blend": "A blend of both"}
STROKE_NAMES = {1: "Fine", 2: "Broad", 3: "Broadest"}  # by the scales that are compared
EXTRACTOR_NAMES = {"lite": "Lite", "vgg19": "VGG-19"}
DEFAULTS = Recipe()

Field = Literal["content", "style"]


class PaintForm(RecipeForm):
    """Cleans into `content`, `style` (pictures), `recipe` and `title`."""

    content = forms.FileField(required=False, allow_empty_file=True, max_length=None)
    style = forms.FileField(required=False, allow_empty_file=True, max_length=None)
    content_starter = forms.CharField(required=False)
    style_starter = forms.CharField(required=False)
    like = forms.UUIDField(label="Earlier picture", required=False)
    title = forms.CharField(label="Title", required=False, max_length=120)

    size = whole("Size")
    steps = whole("Steps")
    style_weight = number("Style weight")
    optimiser = choice("Optimiser", OPTIMISER_NAMES, OPTIMISERS)
    start = choice("Start", START_NAMES, STARTS)
    blend = number("Share of noise")
    seed = whole("Seed")
    extractor = choice("Extractor", EXTRACTOR_NAMES, EXTRACTORS)
    keep_colours = forms.BooleanField(label="Keep the photo’s colours", required=False)
    content_layer = forms.CharField(label="Content layer", required=False)
    style_scales = whole("Strokes")
    learning_rate = number("Learning rate")
    tv_weight = number("Smoothness")

    def __init__(self, *args: Any, owner: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        for layer in STYLE_LAYERS:
            self.fields[f"weight_{layer}"] = number(f"Weight of {layer}")

    @classmethod
    def values_of(cls, job: StyleJob | None) -> dict[str, Any]:
        """What the form shows at first: the defaults, or an earlier job's recipe."""
        recipe = (job.cooked if job else DEFAULTS).to_dict()
        weights = recipe.pop("layer_weights")
        values = recipe | {f"weight_{layer}": weights.get(layer, 0.0) for layer in STYLE_LAYERS}
        return {**values, "like": job.pk if job else "", "title": job.title if job else ""}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        like = earlier_job(owner=self.owner, job_id=cleaned.get("like"))
        pictures = {
            "content": self._picture("content", like),
            "style": self._picture("style", like),
        }
        recipe = self._recipe(cleaned)
        title = cleaned.get("title") or title_for(
            content_name=self._name("content", "Photo"),
            style_name=self._name("style", "Painting"),
        )
        return {**cleaned, **pictures, "recipe": recipe, "title": title}

    def _picture(self, field: Field, like: StyleJob | None) -> Image.Image | None:
        """The upload, else the chosen starter, else the earlier job's picture."""
        upload, chosen = self.files.get(field), self._starter(field)
        try:
            if upload is None and chosen is not None:
                data = chosen.path.read_bytes()
                return decode_picture(data, field=field, max_side=LARGEST_INPUT)
            if upload is None and like is not None:
                return PictureFolder(like.pk).picture(CONTENT if field == "content" else STYLE)
            return read_picture(upload, field=field, max_side=LARGEST_INPUT)
        except UserFacingError as error:
            what = "photo" if field == "content" else "style picture"
            missing = f"There is no {what} yet." if error.code == "no_file" else ""
            self.refuse(field, error, message=missing)
            return None

    def _starter(self, field: Field) -> StarterPicture | None:
        return starter(field, self.data.get(f"{field}_starter", ""))

    def _name(self, field: Field, fallback: str) -> str:
        upload, chosen = self.files.get(field), self._starter(field)
        return (upload.name if upload else chosen.title if chosen else "") or fallback

    def _recipe(self, cleaned: dict[str, Any]) -> Recipe | None:
        names = Recipe.__dataclass_fields__
        entries = {n: v for n, v in cleaned.items() if n in names and v not in (None, "")}
        weights = {n: cleaned.get(f"weight_{n}") for n in STYLE_LAYERS}
        if any(w is not None for w in weights.values()):
            entries["layer_weights"] = {n: w for n, w in weights.items() if w}
        return self.cook(Recipe.from_dict, entries)
