"""Do the books add up? For CI, for the operator, and after a restore."""

from django.core.management.base import BaseCommand, CommandError

from contracts import books


class Command(BaseCommand):
    help = "Checks every sum of the books; says what differs and fails, or says that all is right."

    def handle(self, *args, **options):
        found = books.differences()
        for sentence in found:
            self.stderr.write(sentence)
        if found:
            raise CommandError(f"{len(found)} differences.")
        self.stdout.write("The books add up.")
