"""Living the year: each day its deeds, through the same actions as everybody, with that day's date."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta

from django.utils import timezone, translation

from amap.demo import evenings, founding, paying, season, signing
from amap.models import Letter

# The Saturday on which the demonstration stands (domain.md §5.1).
REFERENCE = date(2026, 11, 21)
FIRST_DAY = date(2025, 9, 1)
LAST_DAY = date(2027, 7, 31)


class Year:
    """The demonstration's year up to `today`. `weeks`: how far the season is moved from the one written down."""

    def __init__(self, today, weeks):
        self.today = today
        self.shift = timedelta(weeks=weeks)
        self.deeds = defaultdict(list)
        self.association = None
        self.place = None
        self.offers = {}
        self.farms = {}
        self.households = {}
        self.users = {}

    def on(self, written, deed, *what):
        """Note a deed for a day of the year as written."""
        self.deeds[written + self.shift].append((deed, what))

    def live(self):
        """Do everything that has happened by today, in order. In French: what people type is."""
        with translation.override("fr"):
            self.on(FIRST_DAY, founding.begin)
            self.on(date(2025, 9, 10), founding.fees, date(2025, 9, 1))
            for offer in season.OFFERS:
                self.on(offer.proposed_on, signing.propose, offer)
                self.on(offer.open_on, signing.sign_up, offer)
                self.on(offer.open_on + timedelta(days=25), paying.hand_in, offer)
            self.on(date(2026, 3, 28), signing.ask_for_vegetables)
            self.on(date(2026, 4, 20), evenings.move_ascension)
            self.on(date(2026, 8, 28), founding.fees, date(2026, 9, 1))
            self.on(date(2026, 6, 12), paying.bounce, 44)
            self.on(date(2026, 6, 25), paying.replace_cheque, 44)
            self.on(date(2026, 11, 16), signing.prepare_next_season)
            self.on(date(2026, 11, 19), paying.misdrawn_cheques, (1, 5, 7, 13))
            month = date(2026, 4, 1)
            while month <= LAST_DAY:
                self.on(month + timedelta(days=2), paying.deposit)
                self.on(month + timedelta(days=8), paying.reach_the_bank)
                month = (month + timedelta(days=32)).replace(day=1)
            day = min(self.deeds)
            while day <= self.today:
                for deed, what in self.deeds.pop(day, ()):
                    deed(self, day, *what)
                if self.offers:
                    evenings.routine(self, day)
                day += timedelta(days=1)
        # What was written in the past has been read long ago.
        Letter.objects.exclude(status=Letter.Status.SENT).update(status=Letter.Status.SENT, sent_at=self.moment(day))

    def moment(self, day, hour=10, minute=0):
        return timezone.make_aware(datetime.combine(day, time(hour, minute)))

    def written(self, day):
        return day - self.shift
