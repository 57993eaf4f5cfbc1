"""The rows of faces, a module a subject.

No photo has a row or a column here: a waiting enrolment photo is a file that is deleted as soon as
it was judged, a probe lives in Redis for a minute at most (`facerec.services.photos`), and so do a
live check's frames until its verdict, 90 seconds at most, and the one that may be compared for two
minutes after it (`facerec.services.liveness_store`). The one exception, aligned crops, is an
administrator's choice and encrypted (`encoders.KeptCrop`).
"""

from facerec.models.attempts import Attempt, AttemptFace, Liveness, Mode
from facerec.models.bulk import BulkEnrolment, BulkPhoto, BulkStatus, Existing
from facerec.models.calibration import Calibration
from facerec.models.corrections import Correction
from facerec.models.encoders import EncoderVersion, KeptCrop, Promotion, Reencoding
from facerec.models.gallery import GalleryChange, GalleryState, GalleryVersion
from facerec.models.liveness import LivenessSession, LivenessState, Purpose
from facerec.models.people import (
    Enrolment,
    EnrolmentPhoto,
    FaceTemplate,
    PhotoStatus,
    Subject,
)
from facerec.models.policy import FacePolicy, PassiveCues
from facerec.models.training import Stage, TrainingRun

__all__ = [
    "Attempt",
    "AttemptFace",
    "BulkEnrolment",
    "BulkPhoto",
    "BulkStatus",
    "Calibration",
    "Correction",
    "EncoderVersion",
    "Enrolment",
    "EnrolmentPhoto",
    "Existing",
    "FacePolicy",
    "FaceTemplate",
    "GalleryChange",
    "GalleryState",
    "GalleryVersion",
    "KeptCrop",
    "Liveness",
    "LivenessSession",
    "LivenessState",
    "Mode",
    "PassiveCues",
    "PhotoStatus",
    "Promotion",
    "Purpose",
    "Reencoding",
    "Stage",
    "Subject",
    "TrainingRun",
]
