"""`manage.py create_api_key --user NAME`: prints a new key, this once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.accounts.models import Scope, User
from webapp.accounts.services import create_api_key


class Command(BaseCommand):
    help = "Make an API key for a user and print it, this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, help="whom the key acts for")
        parser.add_argument("--label", default="", help="what uses it")
        parser.add_argument(
            "--scope",
            action="append",
            choices=Scope.values,
            default=[],
            help="what it may be used for (may be repeated; default: all)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(
                f"There is no user {options['user']!r}. Make one in the admin panel."
            )
        key, secret = create_api_key(user=user, label=options["label"], scopes=options["scope"])
        self.stderr.write(f"Key {key} for {user}, scopes: {', '.join(key.scopes)}. Keep it now:")
        self.stdout.write(secret)
