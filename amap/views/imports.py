"""Lists in and out: what can be brought in, a file's preview, its confirmation and undoing; exports.

The lists themselves are handed in by the addresses (`kinds`, `exports`), because some belong to other apps.
"""

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from amap import clock, jobs, spreadsheets
from amap.access import Role, only_for, role_required
from amap.actions import imports as actions
from amap.errors import Refused, refused_into
from amap.forms.imports import ColumnsForm, ConfirmForm, FileForm
from amap.imports import STATE_NAMES
from amap.models import Import
from amap.pages import page_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _enter(request, roles):
    if not request.standing.has(*roles):
        raise only_for(*sorted(roles))


def _kind(request, kinds, name):
    if name not in kinds:
        raise Http404
    _enter(request, kinds[name].roles)
    return kinds[name]


def _batch(request, kinds, pk):
    """A file of this association that the visitor may see, and what kind of list it is."""
    rows = Import.objects.filter(association=request.standing.association_id).visible_to(request.standing)
    batch = get_object_or_404(rows.select_related("association", "by"), pk=pk)
    return batch, kinds[batch.kind]


@require_GET
@role_required(Role.COMMITTEE, Role.SECRETARY, Role.TREASURER)
def imports(request, kinds, exports):
    """What can be brought in and taken out, and what was brought in so far."""
    standing = request.standing
    past = Import.objects.filter(association=standing.association_id).visible_to(standing).defer("sheets")
    page = page_of(request, past.select_related("by"))
    for batch in page:
        batch.label = kinds[batch.kind].label
    return render(
        request,
        "amap/imports/imports.html",
        {
            "kinds": [kind for kind in kinds.values() if standing.has(*kind.roles)],
            "files": [
                (name, query, label)
                for name, one in exports.items()
                if standing.has(*one.roles)
                for query, label in one.files(request.association)
            ],
            "page": page,
        },
    )


def import_new(request, kind, kinds):
    """Send a file."""
    kind = _kind(request, kinds, kind)
    association, today = request.association, clock.today()
    form = FileForm(request.POST or None, request.FILES or None)
    options = kind.options(association, today, request.POST or None, request.standing.roles)
    if request.method == "POST" and form.is_valid() & options.is_valid():
        with refused_into(form):
            batch = actions.start(
                association,
                kind=kind,
                sheets=form.cleaned_data["sheets"],
                file_name=form.cleaned_data["file"].name,
                options=_typed(options),
                cleaned=options.cleaned_data,
                by=request.user,
                now=clock.now(),
            )
            return redirect("amap:import", request.standing.slug, batch.pk)
    columns = kind.columns(options.cleaned_data if options.is_bound and options.is_valid() else {})
    return render(
        request,
        "amap/imports/import_new.html",
        {"kind": kind, "form": form, "options": options, "columns": columns},
    )


def _typed(form):
    return {name: form.data.get(name, "") for name in form.fields}


@require_GET
@role_required(Role.COMMITTEE, Role.SECRETARY)
def import_(request, pk, kinds):
    """A file: before the confirmation what every line would do, afterwards what was done."""
    batch, kind = _batch(request, kinds, pk)
    if batch.status != Import.Status.DRAFT:
        return render(request, "amap/imports/done.html", {"batch": batch, "kind": kind})
    plan = kind.plan(batch, clock.today())
    columns = _columns_form(batch, kind, plan.table, plan.options)
    options = kind.for_roles(plan.options, request.standing.roles)
    return _preview(request, batch, plan, kind=kind, options=options, columns=columns)


def _preview(request, batch, plan, *, kind, options, columns, status=200):
    """What every line would do, above it the forms of the answers and of the columns."""
    shown = request.GET.get("show")
    shown = shown if shown in STATE_NAMES else ""
    lines = [line for line in plan.lines if not shown or line.state == shown]
    return render(
        request,
        "amap/imports/preview.html",
        {
            "batch": batch,
            "kind": kind,
            "plan": plan,
            "options": options,
            "columns": columns,
            "page": page_of(request, lines),
            "tabs": [
                {"label": _("all"), "url": "?", "is_current": not shown, "count": len(plan.lines)},
                *(
                    {"label": name, "url": f"?show={state}", "is_current": shown == state, "count": plan.count(state)}
                    for state, name in STATE_NAMES.items()
                ),
            ],
            "to_write": plan.count("new") + plan.count("changed"),
            "wrong": plan.count("wrong"),
            "several_sheets": len({line.sheet for line in plan.lines}) > 1,
        },
        status=status,
    )


def _columns_form(batch, kind, table, options, data=None):
    cleaned = options.cleaned_data if options.is_valid() else {}
    return ColumnsForm(data, batch=batch, table=table, columns=kind.columns(cleaned))


@require_POST
@role_required(Role.COMMITTEE, Role.SECRETARY)
def import_match(request, pk, kinds):
    """Say what the columns mean."""
    batch, kind = _batch(request, kinds, pk)
    today = clock.today()
    if batch.status == Import.Status.DRAFT:
        plan = kind.plan(batch, today)
        options = kind.options(batch.association, today, request.POST, request.standing.roles)
        columns = _columns_form(batch, kind, plan.table, options, request.POST)
        if not (columns.is_valid() & options.is_valid()):
            return _preview(request, batch, plan, kind=kind, options=options, columns=columns, status=422)
        actions.arrange(
            batch,
            kind=kind,
            options=_typed(options),
            cleaned=options.cleaned_data,
            sheet=columns.cleaned_data["sheet"],
            heading_line=columns.cleaned_data["heading_line"],
            columns=columns.cleaned_data["columns"],
        )
    return redirect("amap:import", request.standing.slug, pk)


@require_POST
@role_required(Role.COMMITTEE, Role.SECRETARY)
def import_confirm(request, pk, kinds):
    """Write it, all or nothing. A long list is written by the worker."""
    batch, kind = _batch(request, kinds, pk)
    form = ConfirmForm(request.POST)
    form.is_valid()
    seen = {
        "seen": form.cleaned_data.get("seen", ""),
        "without_wrong": form.cleaned_data.get("without_wrong", False),
    }
    if sum(len(sheet["rows"]) for sheet in batch.sheets) > kind.most_at_once:
        job = jobs.ask(
            "amap.lists.confirm",
            title=_("Bringing in %(file)s") % {"file": batch.file_name},
            url=reverse("amap:import", args=[request.standing.slug, pk]),
            by=request.user,
            association=request.association,
            now=clock.now(),
            import_id=pk,
            **seen,
        )
        return redirect("amap:work", request.standing.slug, job.pk)
    try:
        batch = actions.confirm(batch, kind=kind, by=request.user, now=clock.now(), today=clock.today(), **seen)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request,
            _("It is done: %(new)s new, %(changed)s changed. You can undo it as long as nothing depends on it.")
            % {"new": batch.new_count, "changed": batch.changed_count},
        )
    return redirect("amap:import", request.standing.slug, pk)


@require_POST
@role_required(Role.COMMITTEE, Role.SECRETARY)
def import_undo(request, pk, kinds):
    """Take it back."""
    batch, kind = _batch(request, kinds, pk)
    try:
        left = actions.undo(batch, kind=kind, by=request.user, now=clock.now())
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("amap:import", request.standing.slug, pk)
    messages.success(request, _("The import has been undone."))
    if left:
        messages.info(
            request,
            ngettext(
                "%(count)d change was left as it is, because somebody changed it again since.",
                "%(count)d changes were left as they are, because somebody changed them again since.",
                left,
            )
            % {"count": left},
        )
    return redirect("amap:imports", request.standing.slug)


@require_POST
@role_required(Role.COMMITTEE, Role.SECRETARY)
def import_discard(request, pk, kinds):
    """Put a file aside without writing anything."""
    batch, _kind = _batch(request, kinds, pk)
    actions.discard(batch)
    messages.success(request, _("The file has been put aside; nothing was written."))
    return redirect("amap:imports", request.standing.slug)


@require_GET
def import_example(request, kind, kinds):
    """A file to begin with: the headings understood and a few lines."""
    kind = _kind(request, kinds, kind)
    columns = [column for column in kind.columns({}) if column.examples]
    height = max(len(column.examples) for column in columns)
    rows = [[column.examples[n] if n < len(column.examples) else "" for column in columns] for n in range(height)]
    return _file(request, [str(column.label) for column in columns], rows, _("example %(list)s") % {"list": kind.label})


@require_GET
def export(request, kind, exports):
    """A list as CSV for French Excel, or with `?format=xlsx` as a workbook."""
    if kind not in exports:
        raise Http404
    _enter(request, exports[kind].roles)
    which = request.GET.get("of", "")
    headings, rows = exports[kind].rows(request.association, clock.today(), which)
    return _file(request, headings, rows, f"{kind} {which} {request.standing.slug} {clock.today():%Y-%m-%d}")


def _file(request, headings, rows, name):
    name = slugify(name) or "list"
    if request.GET.get("format") == "xlsx":
        answer = HttpResponse(spreadsheets.write_xlsx(headings, rows, name), content_type=XLSX)
    else:
        answer = StreamingHttpResponse(spreadsheets.write_csv(headings, rows), content_type="text/csv; charset=utf-8")
    ending = "xlsx" if request.GET.get("format") == "xlsx" else "csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
