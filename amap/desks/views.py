"""The pages: home, the committee's dashboard, a farm's desk, help."""

from django.http import Http404
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from amap import clock
from amap.access import Role, farms_of, own_farm, role_required
from amap.actions import founding
from amap.desks import farm as farm_reader
from amap.desks import member, plots
from amap.desks.cards import cards
from amap.names import Alphabetical
from contracts.models import ContractOffer, Instalment
from deliveries.models import Distribution

OFFICE = (Role.COMMITTEE, Role.TREASURER, Role.SECRETARY)


def home(request):
    """The visitor's desk in this association: what they collect, what they owe or must do, what waits for their role,
    what has changed.
    """
    standing, now = request.standing, clock.now()
    today = clock.today()
    context = {"home": None, "cards": [], "steps": [], "evening": None}
    if standing.is_member:
        context["home"] = here = member.home(standing, now)
        context |= {"todo": _rows(here.todo), "changed": _rows(here.changed)}
    if standing.roles - {Role.MEMBER}:
        context["cards"] = cards(request.association, standing, now)
    if standing.is_committee:
        context["steps"] = founding.first_steps(request.association)
    if standing.is_distribution_lead:
        coming = Distribution.objects.filter(association=standing.association_id).coming(today)
        context["evening"] = coming.select_related("place").first()
    context["farms"] = [farm for farm in farms_of(request.user) if farm[0] in standing.farm_ids]
    return render(request, "amap/desks/home.html", context)


BADGES = {"mine": "leaf", "waiting": "waiting", "done": "check", "late": "alert", "off": "minus"}


def _rows(lines):
    """A member's lines as list rows: as `ui/icon.html` and `ui/badge.html` draw them, without their cost (P2)."""
    icon = f'<svg class="icon" aria-hidden="true"><use href="{static("amap/icons.svg")}#{{}}"/></svg>'
    row = (
        f'<li><a class="row" href="{{}}">{icon}<span class="row-main long"><span class="row-title">{{}}</span>'
        '<span class="row-note">{}</span></span>'
        f'<span class="row-end"><span class="badge {{}}">{icon}{{}}</span></span></a></li>'
    )
    return format_html_join(
        "",
        row,
        [(one.url, one.icon, one.title, one.note, one.kind, BADGES[one.kind], one.word) for one in lines],
    )


@role_required(*OFFICE)
def committee(request):
    """The dashboard: what waits, and how the season stands."""
    association, today = request.association, clock.today()
    offers = list(
        association.offers.filter(status__in=ContractOffer.LIVE)
        .order_by(Alphabetical("title"), "pk")
        .values_list("title", "taken_hundredths", "capacity_hundredths", "farm")
        .annotate(cents=plots.secured())
    )
    return render(
        request,
        "amap/desks/committee.html",
        {
            "cards": cards(association, request.standing, clock.now()),
            "steps": founding.first_steps(association) if request.standing.is_committee else [],
            "months": plots.season(association, today),
            "legend": plots.season_legend(),
            "signed": plots.signed(offer[:3] for offer in offers if offer[2]),
            "secured": sum(offer[4] for offer in offers),
            "farms": len({offer[3] for offer in offers if offer[4]}),
            "payments": plots.payments(Instalment.objects.filter(association=association), today),
            "uncollected": plots.uncollected(association, today),
        },
    )


def farm_desk(request, slug):
    """A farm's desk, over all its associations: what to harvest for the next delivery day, first."""
    farm, now = own_farm(request, slug), clock.now()
    today = clock.today()
    standings = {
        standing.association_id: standing
        for standing in request.user.standings.values()
        if farm.pk in standing.farm_ids
    }
    coming = farm_reader.days(farm, standings, now)
    waiting, live, secured = farm_reader.offers(farm, standings)
    return render(
        request,
        "amap/desks/farm.html",
        {
            "farm": farm,
            "next": coming[0] if coming else None,
            "later": coming[1:],
            "waiting": waiting,
            "arrivals": farm_reader.arrivals(farm, standings, today),
            "signed": plots.signed(live),
            "secured": secured,
            "payments": plots.payments(Instalment.objects.filter(farm=farm), today),
            "associations": list(standings.values()),
        },
    )


# Page, icon, and its title and lede, which its template says again.
HELP = (
    ("member", "basket", _("For members"), _("Your baskets, contracts, payments and shifts.")),
    ("farmer", "sprout", _("For farmers"), _("What to harvest, the list to post, your offers, your payments.")),
    ("liaison", "farm", _("For farm liaisons"), _("Between a farm and its members.")),
    ("treasurer", "cheque", _("For the treasurer"), _("Fees of the association, cheques on their way to the farms.")),
    ("distribution", "door", _("For the distribution lead"), _("Before, during and after the distribution.")),
    ("committee", "people", _("For the committee"), _("Setting up, agreeing, keeping an eye.")),
)


def help_page(request, page=""):
    """How things are done, step by step, by role; without a page, the list of them."""
    if page and page not in [name for name, *_words in HELP]:
        raise Http404
    return render(request, f"amap/help/{page or 'index'}.html", {"pages": HELP})
