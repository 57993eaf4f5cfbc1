from __future__ import annotations

from django.urls import path

from facerec import views

app_name = "facerec"
urlpatterns = [
    path("verify/", views.verify, name="verify"),
    path("verify/people/", views.people, name="people"),
    path("identify/", views.identify, name="identify"),
    path("attempts/<uuid:attempt_id>/", views.attempt, name="attempt"),
]
