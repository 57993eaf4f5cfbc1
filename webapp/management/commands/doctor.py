"""`manage.py doctor`: how the installation is, for people (a table) and for scripts (--json)."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webapp.health import report


class Command(BaseCommand):
    help = "Tell the device, the models and their checksums, Redis, database, queues and workers."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        told = report(describe_here=True)
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=2))
        else:
            self._table(told)
        if not told["ok"]:
            sys.exit(1)

    def _table(self, told: dict[str, Any]) -> None:
        checks = told["checks"]
        width = max(len(check["name"]) for check in checks)
        group = ""
        for check in checks:
            if check["group"] != group:
                group = check["group"]
                self.stdout.write(f"\n{group}", self.style.MIGRATE_HEADING)
            mark = self.style.SUCCESS("ok") if check["ok"] else self.style.ERROR("!!")
            self.stdout.write(f"  {mark}  {check['name']:<{width}}  {check['value']}")
            if check["hint"]:
                self.stdout.write(f"      {'':<{width}}  {check['hint']}")
        wrong = sum(not check["ok"] for check in checks)
        verdict = f"{wrong} of {len(checks)} checks want attention." if wrong else "All is well."
        self.stdout.write(f"\n{verdict}")
