"""What the pages and the admin ask for, cleaned into pictures and people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django import forms
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from facerec.core.types import Reason
from facerec.models import Mode, Subject
from facerec.services.attempts import find_subject
from facerec.services.enrolment import Photo, read_photos
from facerec.services.photos import MAX_SIDE
from facerec.services.presence import Presence, presence_of, read_session_id
from webapp.accounts.models import User
from webapp.errors import UserFacingError
from webapp.uploads import read_picture

T = TypeVar("T")


class QuestionForm(forms.Form):
    """A form whose fields are read by functions that tell what is wrong in a sentence and a hint.

    After `is_valid()`, `cleaned_data` has the `presence`, and as `image` the decoded photo where
    that needs one; else `problems` has what the error summary shows, and `status` is the first
    problem's.
    """

    mode: ClassVar[Mode]

    photo = forms.FileField(required=False, allow_empty_file=True, max_length=None)
    liveness_session = forms.CharField(required=False, max_length=36)
    vouched = forms.CharField(required=False)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        self.problems: list[dict[str, Any]] = []
        self.status = 422

    def clean(self) -> dict[str, Any]:
        upload = self.files.get("photo")
        presence = self._read(lambda: self._presence(has_photo=bool(upload)))
        image = None
        if presence is not None and presence.needs_photo:
            image = self._read(lambda: read_picture(upload, field="photo", max_side=MAX_SIDE))
        return {"image": image, "presence": presence}

    def _presence(self, *, has_photo: bool) -> Presence:
        return presence_of(
            mode=self.mode,
            by=self.by,
            session=read_session_id(self.data.get("liveness_session", "")),
            vouched=self.data.get("vouched", ""),
            has_photo=has_photo,
        )

    def _read(self, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except UserFacingError as error:
            if not self.problems:
                self.status = error.status
            self.problems.append(error.as_dict())
            self.add_error(error.field or None, error.message)
            return None

    def message_for(self, field: str) -> str:
        return next((p["message"] for p in self.problems if p.get("field") == field), "")


class IdentifyForm(QuestionForm):
    """Who is on this photo?"""

    mode = Mode.IDENTIFICATION


class VerifyForm(QuestionForm):
    """Is the person on this photo who they claim to be?"""

    mode = Mode.VERIFICATION
    subject = forms.CharField(required=False, max_length=200)

    def clean(self) -> dict[str, Any]:
        claim = self.data.get("subject", "")
        subject = self._read(lambda: find_subject(claim=claim))
        return {**super().clean(), "subject": subject}

    @property
    def claims_nobody(self) -> bool:
        """Whether the claimed person is not enrolled."""
        return any(problem["code"] == Reason.UNKNOWN_PERSON for problem in self.problems)


class SeveralFilesInput(forms.ClearableFileInput):
    """A drop zone around a native file input that takes several pictures."""

    allow_multiple_selected = True

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        limits = {"upload_mb": settings.MAX_UPLOAD_MB, "files": settings.MAX_UPLOAD_FILES}
        limits["megapixels"] = settings.MAX_UPLOAD_MEGAPIXELS
        context = {"name": name, "attrs": self.build_attrs(self.attrs, attrs), "limits": limits}
        return render_to_string("facerec/photos_input.html", context)


class PhotosField(forms.FileField):
    """One or several photos, cleaned into a list of decoded ones."""

    def __init__(self, **options: Any) -> None:
        attrs = {"multiple": True, "accept": "image/*"}
        super().__init__(
            widget=SeveralFilesInput(attrs=attrs),
            allow_empty_file=True,
            error_messages={"required": "Choose at least one photo."},
            **options,
        )

    def clean(self, data: Any, initial: Any = None) -> list[Photo]:
        uploads = [upload for upload in (data or []) if upload]
        if not uploads:
            if self.required:
                raise forms.ValidationError(self.error_messages["required"], code="required")
            return []
        try:
            return read_photos(uploads)
        except UserFacingError as error:
            raise forms.ValidationError(f"{error.message} {error.hint}") from error


class SubjectForm(forms.ModelForm):  # type: ignore[type-arg]
    """The admin's form: at first with consent and photos, later with further photos."""

    consent = forms.BooleanField(
        label="This person agreed to be recognised by their face",
        help_text="The date and your name are recorded with it.",
        error_messages={"required": "Nobody is enrolled without their consent."},
    )
    photos = PhotosField(
        label="Photos",
        help_text="One is enough; two or three in different light are better. One face in each, "
        "from the front. They are deleted as soon as they were looked at.",
    )

    class Meta:
        model = Subject
        fields = ("name", "external_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["consent"]
            if "photos" in self.fields:
                self.fields["photos"].required = False
                self.fields["photos"].label = "Add photos"
