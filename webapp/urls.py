"""Every address of the house."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

from webapp import views
from webapp.api import api
from webapp.archives.views import stage

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("status/", views.status, name="status"),
    path("archives/", stage, name="archives"),
    path("", include("webapp.accounts.urls")),
    path("", include("facerec.urls")),
    path("", include("styletransfer.urls")),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
]

handler500 = "webapp.middleware.server_error"
