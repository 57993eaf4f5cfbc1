from __future__ import annotations

from django.urls import path

from facerec.views import archives, ask, triplet

app_name = "facerec"
urlpatterns = [
    path("archives/", archives.stage, name="archives"),
    path("verify/", ask.verify, name="verify"),
    path("verify/people/", ask.people, name="people"),
    path("identify/", ask.identify, name="identify"),
    path("attempts/<uuid:attempt_id>/", ask.attempt, name="attempt"),
    path("learn/triplet/", triplet.triplet, name="triplet"),
    path("learn/triplet/faces/", triplet.lesson, name="triplet_lesson"),
    path("learn/triplet/faces/<uuid:lesson>/", triplet.answer, name="triplet_answer"),
]
