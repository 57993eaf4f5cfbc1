from __future__ import annotations

from django.urls import path

from styletransfer import views

app_name = "styletransfer"
urlpatterns = [
    path("paint/", views.paint, name="paint"),
    path("pictures/", views.gallery, name="gallery"),
    path("pictures/<uuid:job_id>/", views.job, name="job"),
    path("pictures/<uuid:job_id>/panel/", views.panel, name="panel"),
    path("pictures/<uuid:job_id>/curve/", views.curve, name="curve"),
    path("pictures/<uuid:job_id>/result.png", views.result, name="result"),
    path("pictures/<uuid:job_id>/content.jpg", views.content, name="content"),
    path("pictures/<uuid:job_id>/style.jpg", views.style, name="style"),
    path("pictures/<uuid:job_id>/thumb.jpg", views.thumb, name="thumb"),
    path("pictures/<uuid:job_id>/cancel/", views.cancel, name="cancel"),
    path("pictures/<uuid:job_id>/pause/", views.pause, name="pause"),
    path("pictures/<uuid:job_id>/resume/", views.resume, name="resume"),
    path("pictures/<uuid:job_id>/delete/", views.delete, name="delete"),
]
