from django.apps import AppConfig


class FacerecConfig(AppConfig):
    name = "facerec"
