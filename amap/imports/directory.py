"""Who is meant by a line: a household found by its number, an e-mail or a name; never guessed."""

from collections import defaultdict

from django.utils.translation import gettext as _

from amap.dates import date_format
from amap.errors import Refused
from amap.imports.couples import names_in
from amap.spreadsheets import fold


def name_key(name):
    """Names are the same whatever their capitals, accents and order: `Paul MARTIN`, `Martin Paul`."""
    return tuple(sorted(fold(name).split()))


class Directory:
    """The households of an association, read once (two queries)."""

    def __init__(self, association, today):
        self.today = today
        self.households = list(association.households.prefetch_related("members"))
        self.by_pk = {one.pk: one for one in self.households}
        self.by_number = {one.number: one for one in self.households}
        self.by_email, self.by_person, self.by_name = {}, defaultdict(set), defaultdict(set)
        self.words = {}
        for one in self.households:
            self.by_name[name_key(one.name)].add(one.pk)
            self.words[one.pk] = set(fold(one.name).split())
            for member in one.members.all():
                self.by_person[name_key(member.name)].add(one.pk)
                self.words[one.pk].update(fold(member.name).split())
                if member.email and not one.has_left(today):
                    self.by_email[member.email] = one

    def find(self, *, number=None, emails=(), people=(), name="", lives_there=None):
        """The household, or None when nothing here is like it.

        `people` are full names; `name` the household's, used when there are none. `lives_there` tells namesakes apart.
        Raises `Refused` when the number, the e-mails and the names do not agree, and when several could be meant.
        """
        found = {self.by_email[email].pk for email in emails if email in self.by_email}
        if len(found) > 1:
            raise Refused(_("The addresses belong to several households: %(names)s.") % {"names": self.names(found)})
        numbered = self.by_number.get(number)
        if numbered is not None:
            self._refuse_other(numbered, found, [*people, name])
            return self._present(numbered)
        if not found:
            named = [self.by_person[name_key(one)] for one in people]
            found = set().union(*named) if named else set(self.by_name[name_key(name)])
        if len(found) > 1 and lives_there:
            found = {pk for pk in found if lives_there(self.by_pk[pk])} or found
        household = self.only(found)
        if household and number:
            raise Refused(
                _("%(household)s is number %(here)s here, %(there)s in the file. Correct it, or leave that column out.")
                % {"household": household.name, "here": household.number, "there": number}
            )
        return household and self._present(household)

    def names_in(self, text):
        """The names in a cell: a name that is somebody's here stays whole."""
        return [text] if self.by_person.get(name_key(text)) else names_in(text)

    def containing(self, name):
        """The only household of which every word of the name is part, or None: `Martin` for `Paul Martin`."""
        asked = set(fold(name).split())
        household = self.only({pk for pk, words in self.words.items() if asked and asked <= words})
        return household and self._present(household)

    def only(self, pks):
        if len(pks) > 1:
            raise Refused(
                _("Several households could be meant: %(names)s. Add the number or an e-mail.")
                % {"names": self.names(pks)}
            )
        return self.by_pk[min(pks)] if pks else None

    def names(self, pks):
        return ", ".join(f"{self.by_pk[pk].code} {self.by_pk[pk].name}" for pk in sorted(pks)[:5])

    def _refuse_other(self, numbered, found, names):
        """A number alone says little: files count their lines too."""
        if found and found != {numbered.pk}:
            raise Refused(
                _("Number %(number)s is %(holder)s, but the address belongs to %(names)s.")
                % {"number": numbered.number, "holder": numbered.name, "names": self.names(found)}
            )
        said = set(fold(" ".join(names)).split())
        if not found and said and said.isdisjoint(self.words[numbered.pk]):
            raise Refused(
                _("Number %(number)s is %(holder)s here. Correct the number, or leave that column out.")
                % {"number": numbered.number, "holder": numbered.name}
            )

    def _present(self, household):
        if household.has_left(self.today):
            raise Refused(
                _("%(household)s left on %(day)s. Let it come back first, on its page.")
                % {"household": household.name, "day": date_format(household.left_on, "DATE_FORMAT")}
            )
        return household
