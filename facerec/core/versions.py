"""The versions that are stored with every template: encodings of different versions are never
compared. Free of torch and dlib, so that the web process can read them.
"""

from __future__ import annotations

BACKBONE_VERSION = "dlib-resnet-v1-4views"
"""Stored with every template. Changes when the same chip would get another encoding (beyond
rounding). 4views: the mean over the chip from a little nearer and a little farther, each mirrored
too."""

SHIPPED_ADAPTER = "cohort-1"
"""The name of the adapter that comes with the backbone; empty where there is none."""

ENCODER_VERSION = f"{BACKBONE_VERSION}+{SHIPPED_ADAPTER}" if SHIPPED_ADAPTER else BACKBONE_VERSION
"""Backbone and adapter: what thresholds and decisions hold for."""

ALIGNER_VERSION = "dlib-5point-150-v1"
"""Changes when the same photo would get another chip."""

ENCODER_WEIGHTS = "dlib_face_recognition_resnet_model_v1.dat"
ENCODER_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"

LANDMARK_WEIGHTS = "shape_predictor_5_face_landmarks.dat"
LANDMARK_SHA256 = "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888"
