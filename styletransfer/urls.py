from __future__ import annotations

from django.urls import path

from styletransfer.views import insights, looks, minings, pictures, pieces, see

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
    path("pictures/<uuid:job_id>/insight/", insights.insight, name="insight"),
    path(
        "pictures/<uuid:job_id>/insight/<slug:layer>-<slug:which>.png",
        insights.gram,
        name="gram",
    ),
    path("pictures/<uuid:job_id>/cancel/", pictures.cancel, name="cancel"),
    path("pictures/<uuid:job_id>/pause/", pictures.pause, name="pause"),
    path("pictures/<uuid:job_id>/resume/", pictures.resume, name="resume"),
    path("pictures/<uuid:job_id>/delete/", pictures.delete, name="delete"),
    path("make/<slug:medium>/", pieces.make, name="make"),
    path("make/<slug:medium>/starters/<slug:name>/<str:file>", pieces.starter, name="starter"),
    path("pieces/", pieces.gallery, name="pieces"),
    path("pieces/<uuid:piece_id>/", pieces.piece, name="piece"),
    path("pieces/<uuid:piece_id>/panel/", pieces.panel, name="piece_panel"),
    path("pieces/<uuid:piece_id>/curve/", pieces.curve, name="piece_curve"),
    path("pieces/<uuid:piece_id>/thumb.jpg", pieces.thumb, name="piece_thumb"),
    path("pieces/<uuid:piece_id>/inputs/<slug:name>/<str:file>", pieces.given, name="piece_input"),
    path("pieces/<uuid:piece_id>/moments/<int:step>/<str:file>", pieces.moment, name="moment"),
    path("pieces/<uuid:piece_id>/result/<str:file>", pieces.result, name="piece_result"),
    path("pieces/<uuid:piece_id>/cancel/", pieces.cancel, name="piece_cancel"),
    path("pieces/<uuid:piece_id>/pause/", pieces.pause, name="piece_pause"),
    path("pieces/<uuid:piece_id>/resume/", pieces.resume, name="piece_resume"),
    path("pieces/<uuid:piece_id>/delete/", pieces.delete, name="piece_delete"),
    path("see/", see.home, name="see_home"),
    path("see/minings/", minings.start, name="mine"),
    path("see/minings/<uuid:mining_id>/panel/", minings.panel, name="mining_panel"),
    path("see/minings/<uuid:mining_id>/delete/", minings.delete, name="mining_delete"),
    path("see/minings/<uuid:mining_id>/<slug:what>/", minings.act, name="mining_act"),
    path(
        "see/minings/<uuid:mining_id>/sheets/<slug:layer>-<int:number>.jpg",
        minings.sheet,
        name="mining_sheet",
    ),
    path(
        "see/minings/<uuid:mining_id>/patches/<slug:layer>/<int:unit>/<int:rank>.png",
        minings.patch,
        name="mining_patch",
    ),
    path(
        "see/minings/<uuid:mining_id>/sources/<str:key>.jpg", minings.source, name="mining_source"
    ),
    path(
        "see/minings/<uuid:mining_id>/filters/<int:unit>.png",
        minings.filter_picture,
        name="mining_filter",
    ),
    path("see/looks/<uuid:look>/", looks.answer, name="look"),
    path("see/<slug:network>/", see.network, name="see"),
    path("see/<slug:network>/<slug:layer>/", see.layer, name="see_layer"),
    path("see/<slug:network>/<slug:layer>/<int:unit>/", see.unit, name="see_unit"),
    path("see/<slug:network>/<slug:layer>/<int:unit>/heat/", looks.start, name="start_look"),
    path("see/<slug:network>/<slug:layer>/<int:unit>/excite/", looks.excite, name="excite"),
    path("see/<slug:network>/<slug:layer>/<int:unit>/excited.jpg", looks.excited, name="excited"),
]
