from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "webapp.accounts"
    verbose_name = "People and keys"

    def ready(self) -> None:
        from webapp.accounts.roles import sync_roles

        # Dispatched once every app is migrated, since roles name permissions of all of them.
        post_migrate.connect(sync_roles, dispatch_uid="likeness.roles")
