from __future__ import annotations

from django.urls import path, re_path

from facerec.views import archives, ask, bulk, calibration, corrections, quarantine, triplet

app_name = "facerec"
urlpatterns = [
    path("archives/", archives.stage, name="archives"),
    path("enrol/", bulk.bulk, name="bulk"),
    path("enrol/<uuid:run_id>/", bulk.run, name="bulk_run"),
    path("enrol/<uuid:run_id>/report.csv", bulk.report, name="bulk_report"),
    path("enrol/<uuid:run_id>/photos/<int:line_id>/", bulk.settle, name="bulk_settle"),
    path("enrol/<uuid:run_id>/delete/", bulk.delete, name="bulk_delete"),
    re_path(
        r"^enrol/(?P<run_id>[0-9a-f-]{36})/(?P<what>pause|resume|cancel)/$",
        bulk.act,
        name="bulk_act",
    ),
    path("verify/", ask.verify, name="verify"),
    path("verify/people/", ask.people, name="people"),
    path("identify/", ask.identify, name="identify"),
    path("attempts/<uuid:attempt_id>/", ask.attempt, name="attempt"),
    path("attempts/<uuid:attempt_id>/corrections/", corrections.say, name="correct"),
    path("quarantine/", quarantine.quarantine, name="quarantine"),
    path("quarantine/photos/<int:pk>/", quarantine.photo, name="held_photo"),
    path("quarantine/corrections/<int:pk>/", quarantine.correction, name="judge_correction"),
    path("calibration/", calibration.calibration, name="calibration"),
    path("calibration/use/", calibration.use, name="calibration_use"),
    path("calibration/back/", calibration.back, name="calibration_back"),
    path("calibration/measure/", calibration.measure, name="calibration_measure"),
    path("calibration/sets/", calibration.sets, name="calibration_sets"),
    path(
        "calibration/<uuid:calibration_id>/cancel/",
        calibration.cancel,
        name="calibration_cancel",
    ),
    path(
        "calibration/<uuid:calibration_id>/delete/",
        calibration.delete,
        name="calibration_delete",
    ),
    path("learn/triplet/", triplet.triplet, name="triplet"),
    path("learn/triplet/faces/", triplet.lesson, name="triplet_lesson"),
    path("learn/triplet/faces/<uuid:lesson>/", triplet.answer, name="triplet_answer"),
]
