"""One more association in an installation; the first one founds itself in the browser, on /start/."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from amap import clock
from amap.actions import founding


class Command(BaseCommand):
    help = "Makes an association, still empty. Give it somebody next: create_committee_member."

    def add_arguments(self, parser):
        parser.add_argument("association", help="its address on this site, as in /<association>/")
        parser.add_argument("name")

    def handle(self, *, association, name, **options):
        try:
            founding.add_association(slug=association, name=name, now=clock.now())
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from wrong
        self.stdout.write(f"{name} is at /{association}/. Next: create_committee_member {association} <e-mail> <name>")
