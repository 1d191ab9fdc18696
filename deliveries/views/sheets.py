"""The evening's list: on screen with one tap a household, on paper, and what each farm brings."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from amap import clock, jobs, live, pdf
from amap.access import Role, only_for, role_required
from amap.errors import Refused
from amap.names import alphabetical
from deliveries import papers
from deliveries import sheet as reader
from deliveries.actions import distributions as actions
from deliveries.forms.distributions import CloseForm, CollectForm, NoteForm
from deliveries.models import Basket, ShiftAssignment
from deliveries.sheet import contents_text, taken_text, taken_together
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
        raise only_for(*RUNNERS)
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
    context = _counts(read) | {
        "evening": evening,
        "rows": _rows(lines, read, request.standing.slug),
        "letters": _letters(lines),
        "q": request.GET.get("q", ""),
        "only_left": only_left,
        "deliveries": list(read.deliveries.values()),
        "tabs": [
            {"label": _("Everybody"), "url": url, "is_current": not only_left},
            {"label": _("Still to come"), "url": f"{url}?show=left", "is_current": only_left},
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


LONGEST_WAIT = 30 * 24 * 3600  # seconds

TAKES = (
    '<span class="sign-text"><span class="sign-who">{name} <small>{code}</small></span> '
    '<span class="sign-what">{what}</span></span>'
)
FIXED = f'<span class="sign-tap"><span class="sign-box"></span>{TAKES}</span>'
WAITING = (
    '<button class="sign-tap" name="household" value="{id}" formaction="{collect}" hx-post="{collect}">'
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
    """What a household still takes, and what happened, in one line of text."""
    parts = [
        taken_text(deliveries[basket.delivery_id].title, basket.contents)
        for basket in line.baskets
        if basket.outcome != Basket.Outcome.COLLECTED
    ]
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
        details["at"] = _signed_at(evening, form.cleaned_data["ago"] or 0, clock.now())
    getattr(actions, deed)(evening, households=[household], **details)
    context = {}
    if request.htmx:
        read = reader.sheet(evening)
        lines = [line for line in read.lines if line.household_id == household]
        context = _counts(read) | {"rows": _rows(lines, read, request.standing.slug)}
    url = reverse("deliveries:sheet", args=[request.standing.slug, pk])
    return live.answer(request, "deliveries/distributions/_line.html", context, otherwise=f"{url}#h{household}")


def _signed_at(evening, ago, now):
    """When a household signed whose tick waited `ago` seconds for the network: not before the doors opened."""
    return max(now - timedelta(seconds=min(ago, LONGEST_WAIT)), min(evening.opens(), now))


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
            refused.into(form)
        else:
            messages.success(request, _("Closed. Thank you for the evening!"))
            return redirect("deliveries:distribution", request.standing.slug, pk)
    return render(
        request,
        "deliveries/distributions/close.html",
        _counts(read) | {"evening": evening, "form": form, "left": left, "was_on_paper": was_on_paper},
    )


def _farms_seen(request):
    """Whose quantities: all of them for those who run the evening, their own farms' for farm people."""
    standing = request.standing
    return None if standing.has(*RUNNERS) else standing.looked_after_farm_ids


@role_required(*RUNNERS, Role.FARMER, Role.LIAISON)
def quantities(request, pk):
    paper = _paper_or_404("quantities", evening_or_404(request, pk), _farms_seen(request))
    return render(request, "deliveries/distributions/quantities.html", paper.context)


@role_required(*RUNNERS, Role.FARMER, Role.LIAISON)
def quantities_pdf(request, pk):
    return _print(request, "quantities", pk, _farms_seen(request))


@role_required(*RUNNERS)
def sheet_pdf(request, pk):
    return _print(request, "sign_in_sheet", pk)


@role_required(*RUNNERS, Role.FARMER, Role.LIAISON)
def board_pdf(request, pk):
    return _print(request, "board", pk)


def _paper_or_404(name, evening, farm_ids):
    paper = papers.PAPERS[name](evening, farm_ids, now=clock.now())
    if farm_ids is not None and not paper.context["parts"]:
        raise Http404
    return paper


def _print(request, name, pk, farm_ids=None):
    """A paper of the evening as a PDF; a long one is made by the worker."""
    paper = _paper_or_404(name, evening_or_404(request, pk), farm_ids)
    if paper.rows <= jobs.MOST_AT_ONCE:
        return pdf.answer(pdf.render(paper.template, paper.context), paper.name)
    job = jobs.ask(
        "deliveries.tasks.make_paper",
        title=paper.title,
        by=request.user,
        association=request.association,
        now=clock.now(),
        name=name,
        distribution_id=pk,
        farm_ids=farm_ids and sorted(farm_ids),
    )
    return redirect("amap:work", request.standing.slug, job.pk)
