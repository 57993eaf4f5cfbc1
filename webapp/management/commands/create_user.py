"""`manage.py create_user NAME --role painter`: make a person with a role."""

from __future__ import annotations

import getpass
import os
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.accounts.models import User
from webapp.accounts.roles import Role
from webapp.accounts.services import create_user


class Command(BaseCommand):
    help = "Make a person with a role: painter, operator (verifies, identifies) or administrator."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", choices=[role.value for role in Role], default=Role.PAINTER)
        parser.add_argument("--password", help="else $PASSWORD, else you are asked for it")

    def handle(self, *args: Any, **options: Any) -> None:
        username, role = options["username"], Role(options["role"])
        if User.objects.filter(username=username).exists():
            raise CommandError(f"There is a user {username!r} already.")
        password = options["password"] or os.environ.get("PASSWORD") or getpass.getpass()
        try:
            User.username_validator(username)
            validate_password(password, User(username=username))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        create_user(username=username, password=password, role=role)
        self.stdout.write(f"Made {username}, {role.value}.")
