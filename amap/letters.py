"""Letters: a row, written in the transaction of the deed it tells of, before it is an e-mail.

`templates/letters/<kind>.txt` holds a letter's words: its first line is the subject, the rest the text.
"""

from amap.models import Farm, Household, Letter, Member, User
from amap.models.people import normalise_email


def post(kind, *, association, to, key, now, context=None, is_urgent=False, send_after=None):
    """Queue a letter to a Household, Farm, Member, User, a list of these, or an (e-mail, language) pair.

    `key` names the event: the same event never writes twice to the same reader (BR-75). `context` is plain JSON: names,
    cents, ISO dates, addresses. A household without e-mail simply gets none: its liaison sees it on the desk.
    Returns the number of readers.
    """
    letters = [
        Letter(
            association=association,
            key=f"{key}:{email}"[:150],
            kind=kind,
            to=email,
            language=language,
            context=context or {},
            is_urgent=is_urgent,
            created_at=now,
            send_after=send_after or now,
        )
        for email, language in sorted(set(readers(to)))
    ]
    Letter.objects.bulk_create(letters, ignore_conflicts=True)
    return len(letters)


def readers(to):
    """The (e-mail, language) pairs behind a recipient."""
    match to:
        case Household():
            people = to.members.exclude(email="").select_related("user")
            return [reader for member in people for reader in readers(member)]
        case Farm():
            return [reader for farmer in to.farmers.select_related("user") for reader in readers(farmer.user)]
        case Member():
            if to.user:
                return readers(to.user)
            return [(normalise_email(to.email), to.language)] if to.email else []
        case User():
            return [(to.email, to.language)] if to.is_active else []
        case (str() as email, str() as language):
            return [(normalise_email(email), language)]
        case _:
            return [reader for one in to for reader in readers(one)]
