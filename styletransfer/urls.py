from __future__ import annotations

from django.urls import path

from styletransfer.views import pictures

app_name = "styletransfer"
urlpatterns = [
    path("paint/", pictures.paint, name="paint"),
    path("pictures/", pictures.gallery, name="gallery"),
    path("pictures/<uuid:job_id>/", pictures.job, name="job"),
    path("pictures/<uuid:job_id>/panel/", pictures.panel, name="panel"),
    path("pictures/<uuid:job_id>/curve/", pictures.curve, name="curve"),
    path("pictures/<uuid:job_id>/result.png", pictures.result, name="result"),
    path("pictures/<uuid:job_id>/content.jpg", pictures.content, name="content"),
    path("pictures/<uuid:job_id>/style.jpg", pictures.style, name="style"),
    path("pictures/<uuid:job_id>/thumb.jpg", pictures.thumb, name="thumb"),
    path("pictures/<uuid:job_id>/cancel/", pictures.cancel, name="cancel"),
    path("pictures/<uuid:job_id>/pause/", pictures.pause, name="pause"),
    path("pictures/<uuid:job_id>/resume/", pictures.resume, name="resume"),
    path("pictures/<uuid:job_id>/delete/", pictures.delete, name="delete"),
]
