"""Letters: a row, written in the transaction of the deed it tells of, before it is an e-mail.

`templates/letters/<kind>.txt` holds a letter's words: its first line is the subject, the rest the text. Urgent
letters leave within a minute, alone. The others wait for the digest hour: one e-mail per reader and day at most
(BR-75).
"""

import smtplib
import unicodedata
from datetime import datetime, time, timedelta
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Max
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from amap import jobs, rows
from amap.models import Farm, Household, Letter, Member, User
from amap.models.people import normalise_email

# Half an hour after the harvest lists become visible.
DIGEST_HOUR = time(12, 30)
TRIES = 5
# A letter still "being sent" after this long belonged to a worker that died in the act.
LOST_AFTER = timedelta(minutes=10)


def post(kind, *, association, to, key, now, context=None, is_urgent=False, send_after=None):
    """Queue a letter to a Household, Farm, Member, User, a list of these, or an (e-mail, language) pair.

    `key` names the event: the same event never writes twice to the same reader. `context` is plain JSON: names,
    cents, ISO dates, addresses without host. A household without e-mail gets none: its liaison sees it on the desk.
    Returns the number of readers.
    """
    send_after = send_after or now
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
            send_after=send_after if is_urgent else next_digest(send_after),
        )
        for email, language in sorted(set(readers(to)))
    ]
    rows.insert(letters, skip_known=True)
    return len(letters)


@transaction.atomic
def post_at_once(kind, *, to, context, now):
    """Queue a letter to an (e-mail, language) pair who waits for it, such as a code to sign in: it leaves in seconds.

    It belongs to no association, and its words are forgotten once it has left.
    """
    ((email, language),) = readers(to)
    letter = Letter.objects.create(
        key=f"{kind}:{uuid4()}",
        kind=kind,
        to=email,
        language=language,
        context=context,
        is_urgent=True,
        created_at=now,
        send_after=now,
    )
    _hand_out(letter.pk, letter.tries, now)


def take_back(key):
    """The event never was, or counts no more: its letters that have not left do not leave."""
    Letter.objects.filter(key__startswith=f"{key}:", status=Letter.Status.QUEUED).delete()


def readers(to):
    """The (e-mail, language) pairs behind a recipient."""
    match to:
        case (str() as email, str() as language):
            return [(normalise_email(email), language)]
        case User():
            return [(to.email, to.language)] if to.is_active else []
        case Member(user=User() as user):
            return readers(user)
        case Member():
            return [(normalise_email(to.email), to.language)] if to.email else []
        case Household():
            several = to.members.exclude(email="").select_related("user")
        case Farm():
            several = [farmer.user for farmer in to.farmers.select_related("user")]
        case _:
            several = to
    return [reader for one in several for reader in readers(one)]


def next_digest(moment):
    """The first digest hour (local) not before the moment."""
    local = timezone.localtime(moment)
    hour = timezone.make_aware(datetime.combine(local.date(), DIGEST_HOUR))
    return hour if hour >= local else hour + timedelta(days=1)


def send_waiting(now):
    """Hand out what is due as jobs, one an e-mail, so that one bad letter stops no other. Called every minute."""
    Letter.objects.filter(status=Letter.Status.SENDING, claimed_at__lt=now - LOST_AFTER).update(
        status=Letter.Status.UNKNOWN
    )
    due = Letter.objects.filter(status=Letter.Status.QUEUED, send_after__lte=now)
    for pk, tries in due.filter(is_urgent=True).values_list("pk", "tries")[:500]:
        _hand_out(pk, tries, now)
    today = timezone.localdate(now)
    digests = due.filter(is_urgent=False).order_by("to").values_list("to").annotate(tries=Max("tries"))
    for to, tries in digests[:1000]:
        jobs.enqueue("amap.letters.send_digest", key=f"digest:{today}:{tries}:{to}", now=now, to=to)


def _hand_out(pk, tries, now):
    jobs.enqueue("amap.letters.send_urgent", key=f"letter:{pk}:{tries}", now=now, letter_id=pk)


def send_urgent(*, letter_id, now):
    """Send one letter by itself, unless it was taken back."""
    if letter := Letter.objects.filter(pk=letter_id).first():
        _send([letter], now)


def send_digest(*, to, now):
    """Gather everything due to a reader into one e-mail."""
    due = Letter.objects.filter(status=Letter.Status.QUEUED, is_urgent=False, to=to, send_after__lte=now)
    letters = list(due.order_by("association_id", "pk"))
    if letters:
        _send(letters, now, digest_on=timezone.localdate(now))


def _send(letters, now, digest_on=None):
    """Claim the letters, then send them as one e-mail. A clear refusal is tried again later; an unclear end is never
    repeated.
    """
    email = message(letters)
    mine = Letter.objects.filter(pk__in=[letter.pk for letter in letters])
    tries = letters[0].tries + 1
    if not mine.filter(status=Letter.Status.QUEUED).update(
        status=Letter.Status.SENDING, claimed_at=now, tries=tries, digest_on=digest_on
    ):
        return
    try:
        email.send()
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, ConnectionRefusedError) as refusal:
        # The server answered no, or was not there: certainly not sent.
        again = Letter.Status.QUEUED if tries < TRIES else Letter.Status.FAILED
        mine.update(status=again, error=str(refusal)[:300], send_after=now + timedelta(minutes=5**tries))
    except (OSError, smtplib.SMTPException) as trouble:
        # The line broke: it may have been accepted. Twice would be worse than a question on the committee's desk.
        mine.update(status=Letter.Status.UNKNOWN, error=str(trouble)[:300])
    else:
        forgotten = {} if letters[0].association_id else {"context": {}}
        mine.update(status=Letter.Status.SENT, sent_at=now, error="", **forgotten)


def message(letters):
    """One e-mail of one or several letters to the same reader, in their language."""
    with translation.override(letters[0].language):
        parts = [_words(letter) for letter in letters]
        name = letters[0].association.name if letters[0].association else "AMAP"
        subject = parts[0][0] if len(parts) == 1 else _("%(name)s: your news of the day") % {"name": name}
        texts = (
            [parts[0][1]] if len(parts) == 1 else [f"{title}\n{'—' * len(title)}\n\n{text}" for title, text in parts]
        )
        body = "\n\n\n".join(texts) + f"\n\n-- \n{name}\n{settings.SITE_URL}/\n"
    return EmailMessage(subject=_one_line(subject), body=body, to=[letters[0].to])


def _words(letter):
    """(subject, text) of a letter. Plain text: nothing to escape."""
    context = Context(
        {**letter.context, "association": letter.association, "site": settings.SITE_URL}, autoescape=False
    )
    subject, _newline, text = get_template(f"letters/{letter.kind}.txt").template.render(context).partition("\n")
    return _one_line(subject), text.strip()


def _one_line(text):
    """Without the control characters a mail header refuses (T8)."""
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())
