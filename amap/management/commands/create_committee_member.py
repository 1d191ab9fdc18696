"""The operator's way in: a committee member for an association, by a link that works once."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.forms import ValidationError
from django.urls import reverse

from amap import clock
from amap.actions import founding
from amap.errors import Refused
from amap.models import Association


class Command(BaseCommand):
    help = (
        "Invites an address to the committee of an association and prints the link, which works once, for seven days."
    )

    def add_arguments(self, parser):
        parser.add_argument("association", help="the association's address on this site, as in /<association>/")
        parser.add_argument("email")
        parser.add_argument("name")

    def handle(self, *, association, email, name, **options):
        found = Association.objects.filter(slug=association).first()
        if found is None:
            known = ", ".join(Association.objects.values_list("slug", flat=True))
            raise CommandError(f"No association {association!r}. Known: {known or 'none; open /start/ in a browser'}.")
        try:
            validate_email(email)
            invitation, token = founding.add_committee_member(found, email=email, name=name, by=None, now=clock.now())
        except (ValidationError, Refused) as wrong:
            raise CommandError(" ".join(getattr(wrong, "messages", [str(wrong)]))) from wrong
        if invitation is None:
            self.stdout.write(f"{email} is on the committee of {found.name} already.")
            return
        self.stdout.write(
            f"{found.name}: {name} may open this link once, before {invitation.expires_at:%d/%m/%Y %H:%M} UTC:"
        )
        self.stdout.write(f"{settings.SITE_URL}{reverse('site:invitation', args=[token])}")
