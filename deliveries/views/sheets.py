"""The evening's list: on screen with one tap a household, on paper, and what each farm brings."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from amap import clock, live, pdf
from amap.access import ROLE_NAMES, Role, role_required
from amap.errors import Refused
from amap.models import Member
from amap.phones import phone_text
from amap.words import pair_text
from deliveries import sheet as reader
from deliveries.actions import distributions as actions
from deliveries.forms.distributions import CloseForm, CollectForm, NoteForm
from deliveries.models import Basket, ShiftAssignment
from deliveries.sheet import alphabetical, contents_text, taken_text, taken_together
from deliveries.views.distributions import RUNNERS, evening_or_404


def _sheet_or_403(request, pk):
    """The evening, for those who run it and, once its list is fixed, for whoever has a shift that evening."""
    evening = evening_or_404(request, pk)
    if request.standing.has(*RUNNERS):
        return evening
    mine = ShiftAssignment.objects.filter(
        distribution=evening, household=request.standing.household_id, status__in=ShiftAssignment.HOLDS
    )
    if not (evening.is_locked and request.standing.household_id and mine.exists()):
        raise PermissionDenied(", ".join(str(ROLE_NAMES[role]) for role in RUNNERS))
    return evening


def sheet(request, pk):
    """Who collects what. `?q=` looks for a household, `?show=left` leaves out those who came."""
    evening = _sheet_or_403(request, pk)
    read = reader.sheet(evening)
    wanted, only_left = alphabetical(request.GET.get("q", "").strip()[:60]), request.GET.get("show") == "left"
    lines = [
        line
        for line in read.lines
        if wanted in f"{alphabetical(line.name)} {line.code.casefold()}" and not (only_left and line.is_collected)
    ]
    url = reverse("deliveries:sheet", args=[request.standing.slug, pk])
    left = len(read.lines) - read.collected
    context = _counts(read) | {
        "evening": evening,
        "rows": _rows(lines, read, request.standing.slug),
        "letters": _letters(lines),
        "q": request.GET.get("q", ""),
        "only_left": only_left,
        "deliveries": list(read.deliveries.values()),
        "tabs": [
            {"label": _("Everybody"), "url": url, "is_current": not only_left, "count": len(read.lines)},
            {"label": _("Still to come"), "url": f"{url}?show=left", "is_current": only_left, "count": left},
        ],
        "runs": request.standing.has(*RUNNERS),
        "has_begun": evening.opens() <= clock.now(),
    }
    if request.htmx:
        return render(request, "deliveries/distributions/_lines.html", context)
    return render(request, "deliveries/distributions/sheet.html", context)


def _counts(read):
    total = len(read.lines)
    return {
        "collected": read.collected,
        "expected": total,
        "percent": 100 * read.collected // total if total else 0,
        "is_complete": bool(total) and read.collected == total,
    }


def _letters(lines):
    """[(letter, household id of the first under it)], to jump to."""
    first = {}
    for line in lines:
        first.setdefault(alphabetical(line.name)[:1].upper() or "?", line.household_id)
    return list(first.items())
TAKES = (
    '<span class="sign-text"><span class="sign-who">{name} <small>{code}</small></span> '
    '<span class="sign-what">{what}</span></span>'
)


WAITING = (
    '<button class="sign-tap" name="household" value="{id}" formaction="{collect}" hx-post="{collect}">'
FIXED = f'<span class="sign-tap"><span class="sign-box"></span>{TAKES}</span>'
    f'<span class="sign-box"></span>{TAKES}</button>'
)
COLLECTED = (
    f'{FIXED}<button class="button quiet small" name="household" value="{{id}}"'
    ' formaction="{uncollect}" hx-post="{uncollect}">{undo}<span class="visually-hidden"> {name}</span></button>'
)
ROW = '<li id="h{}" class="sign {}">{}<a class="sign-more" href="{}"><span class="visually-hidden">{}</span>…</a></li>'
PLAIN_ROW = '<li id="h{}" class="sign plain">{}</li>'


def _rows(lines, read, slug):
    """The list's rows as one safe string: three hundred baskets cost no template include."""
    evening = read.distribution
    urls = {name: reverse(f"deliveries:{name}", args=[slug, evening.pk]) for name in ("collect", "uncollect", "sheet")}
    if not evening.is_locked:
        return format_html_join(
            "",
            PLAIN_ROW,
            (
                (
                    line.household_id,
                    format_html(TAKES, name=line.name, code=line.code, what=_what(line, read.deliveries)),
                )
                for line in lines
            ),
        )
    words = {"collected_by": _("for them: %(name)s"), "more": _("More about"), "undo": _("Undo")}
    fates = {value: str(label) for value, label in Basket.Fate.choices}

    def cells(line):
        template = FIXED if evening.is_closed else COLLECTED if line.is_collected else WAITING
        content = format_html(
            template,
            id=line.household_id,
            name=line.name,
            code=line.code,
            what=_what(line, read.deliveries, words, fates),
            collect=urls["collect"],
            uncollect=urls["uncollect"],
            undo=words["undo"],
        )
        more = f"{urls['sheet']}{line.household_id}/"
        return (
            line.household_id,
            "done" if line.is_collected else "",
            content,
            more,
            f"{words['more']} {line.name}",
        )

    return format_html_join("", ROW, map(cells, lines))


def _what(line, deliveries, words=None, fates=None):
    """What a household takes, and what happened, in one line of text."""
    parts = [taken_text(deliveries[basket.delivery_id].title, basket.contents) for basket in line.baskets]
    if words:
        first = line.baskets[0]
        if line.is_collected and first.collected_at:
            parts.insert(0, f"{timezone.localtime(first.collected_at):%H:%M}")
        if first.collected_by:
            parts.append(words["collected_by"] % {"name": first.collected_by})
        parts += dict.fromkeys(fates[basket.fate] for basket in line.baskets if basket.fate)
        parts += line.notes
    return taken_together(parts)


@require_POST
def collect(request, pk):
    """A household has signed: one tap."""
    return _tick(request, pk, "collect")


@require_POST
def uncollect(request, pk):
    """It was a mistake: the tick goes."""
    return _tick(request, pk, "uncollect")


def _tick(request, pk, deed):
    evening = _sheet_or_403(request, pk)
    form = CollectForm(request.POST)
    if not form.is_valid():
        raise Http404
    household = form.cleaned_data["household"]
    details = {"by": request.user, "now": clock.now()}
    if deed == "collect":
        details["collected_by"] = form.cleaned_data["collected_by"]
    getattr(actions, deed)(evening, households=[household], **details)
    context = {}
    if request.htmx:
        read = reader.sheet(evening)
        lines = [line for line in read.lines if line.household_id == household]
        context = _counts(read) | {"rows": _rows(lines, read, request.standing.slug)}
    url = reverse("deliveries:sheet", args=[request.standing.slug, pk])
    return live.answer(request, "deliveries/distributions/_line.html", context, otherwise=f"{url}#h{household}")


def sheet_line(request, pk, household):
    """One household of the list: who came in its place, a note."""
    evening = _sheet_or_403(request, pk)
    read = reader.sheet(evening, household_id=household)
    if not read.lines:
        raise Http404
    line = read.lines[0]
    first = line.baskets[0]
    return render(
        request,
        "deliveries/distributions/sheet_line.html",
        {
            "evening": evening,
            "line": line,
            "baskets": [(read.deliveries[b.delivery_id], contents_text(b.contents), b) for b in line.baskets],
            "first": first,
            "form": CollectForm(initial={"household": household, "collected_by": first.collected_by}),
            "note": NoteForm(),
        },
    )


@require_POST
def annotate(request, pk, household):
    """Write down what happened with a household's baskets."""
    evening, form = _sheet_or_403(request, pk), NoteForm(request.POST)
    if form.is_valid():
        actions.annotate(evening, household=household, note=form.cleaned_data["note"], by=request.user, now=clock.now())
        messages.success(request, _("Noted."))
    else:
        messages.error(request, form.errors["note"][0])
    return redirect("deliveries:sheet_line", request.standing.slug, pk, household)


@require_POST
@role_required(*RUNNERS)
def lock(request, pk):
    """Fix the list now rather than at its hour."""
    actions.lock(evening_or_404(request, pk), by=request.user, now=clock.now())
    messages.success(request, _("The list is fixed. From now on households sign for what stands on it."))
    return redirect("deliveries:sheet", request.standing.slug, pk)


@role_required(*RUNNERS)
def close(request, pk):
    """End the evening: first who did not come, then the deed."""
    evening = evening_or_404(request, pk)
    read = reader.sheet(evening)
    left = [line for line in read.lines if not line.is_collected] if evening.is_locked else []
    was_on_paper = bool(left) and not read.collected
    default = CloseForm.COLLECTED if was_on_paper else request.association.uncollected_fate
    form = CloseForm(request.POST or None, lines=left, default=default)
    if request.method == "POST" and form.is_valid():
        fates, now = form.fates, clock.now()
        on_paper = [pk for pk, fate in fates.items() if fate == CloseForm.COLLECTED]
        try:
            actions.close(
                evening,
                on_paper=on_paper,
                fates={pk: fate for pk, fate in fates.items() if fate != CloseForm.COLLECTED},
                remarks=form.cleaned_data["remarks"],
                by=request.user,
                now=now,
            )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Closed. Thank you for the evening!"))
            return redirect("deliveries:distribution", request.standing.slug, pk)
    return render(
        request,
        "deliveries/distributions/close.html",
        _counts(read) | {"evening": evening, "form": form, "left": left, "was_on_paper": was_on_paper},
    )


def _quantities(request, pk):
    """What each farm brings: the sums of the list, and its harvest (D8). Farm people see their own farms only."""
    evening = evening_or_404(request, pk)
    standing = request.standing
    if standing.has(*RUNNERS):
        read = reader.sheet(evening)
    else:
        read = reader.sheet(evening, farm_ids=standing.farm_ids | standing.liaison_farm_ids)
        if not read.deliveries:
            raise Http404
    totals, lists = read.totals(), harvests(read.deliveries)
    return {
        "evening": evening,
        "association_name": request.standing.association_name,
        "locks": evening.locks(request.association.lock_hours_before),
        "printed_at": clock.now(),
        "parts": [
            {
                "delivery": delivery,
                "totals": list(totals[pk].items()),
                "households": [(line, contents_text(contents)) for line, contents in read.takers(pk)],
                "harvest": lists.get(pk),
            }
            for pk, delivery in read.deliveries.items()
        ],
    }


@role_required(*RUNNERS, Role.FARMER, Role.LIAISON)
def quantities(request, pk):
    return render(request, "deliveries/distributions/quantities.html", _quantities(request, pk))


@role_required(*RUNNERS, Role.FARMER, Role.LIAISON)
def quantities_pdf(request, pk):
    context = _quantities(request, pk)
    return pdf.answer(pdf.render("print/quantities.html", context), f"quantities-{context['evening'].day}")


@role_required(*RUNNERS)
def sheet_pdf(request, pk):
    """The sign-in sheet for the table at the door (D6)."""
    evening = evening_or_404(request, pk)
    read = reader.sheet(evening)
    phones = {}
    for household, phone in (
        Member.objects.filter(household__in=[line.household_id for line in read.lines], shows_phone=True)
        .exclude(phone="")
        .values_list("household", "phone")
    ):
        phones.setdefault(household, phone_text(phone))
    context = {
        "evening": evening,
        "association_name": request.standing.association_name,
        "day": evening.day,
        "deliveries": list(read.deliveries.values()),
        "rows": _paper_rows(read, phones),
        "totals": [(read.deliveries[pk], list(labels.items())) for pk, labels in read.totals().items()],
        "households": len(read.lines),
        "volunteers": reader.volunteers(evening),
        "uncollected": [
            (line, Basket.Fate(basket.fate).label)
            for line in read.lines
            for basket in line.baskets[:1]
            if basket.outcome == Basket.Outcome.UNCOLLECTED
        ],
        "farms": list(dict.fromkeys(delivery.farm for delivery in read.deliveries.values())),
        "is_wide": len(read.deliveries) > 5,
        "printed_at": clock.now(),
    }
    return pdf.answer(pdf.render("print/sign_in_sheet.html", context), f"sheet-{evening.day}")


def _paper_rows(read, phones):
    """The rows of the paper sheet: name, a cell a delivery, who came instead and notes, room to sign."""
    rows = []
    for line in read.lines:
        taken = {basket.delivery_id: contents_text(basket.contents) for basket in line.baskets}
        cells = format_html_join("", "<td>{}</td>", ((taken.get(pk, ""),) for pk in read.deliveries))
        by = line.baskets[0].collected_by
        said = " · ".join(filter(None, [phones.get(line.household_id), by, *line.notes]))
        signed = f"{timezone.localtime(line.baskets[0].collected_at):%H:%M}" if line.is_collected else ""
        rows.append((line.name, line.code, said, cells, signed))
    return format_html_join("", '<tr><th>{} <small>{} {}</small></th>{}<td class="sign">{}</td></tr>', rows)


@role_required(*RUNNERS, Role.FARMER, Role.LIAISON)
def board_pdf(request, pk):
    """What is in the basket, to hang above the tables (D7)."""
    evening = evening_or_404(request, pk)
    read = reader.sheet(evening)
    lists, totals = harvests(read.deliveries), read.totals()
    context = {
        "evening": evening,
        "association_name": request.standing.association_name,
        "day": evening.day,
        "parts": [
            {"delivery": delivery, "harvest": lists.get(pk), "labels": sorted(totals[pk])}
            for pk, delivery in read.deliveries.items()
        ],
    }
    return pdf.answer(pdf.render("print/board.html", context), f"board-{evening.day}")
