"""Lists on their way in: read, matched, confirmed all or nothing, undone while nothing depends on them.

`kind` is an `amap.imports.Kind`: it knows what the lines mean.
"""

import re
from datetime import timedelta
from pathlib import PurePath

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from amap import states
from amap.errors import Refused
from amap.models import Association, Import, ImportedRow

DRAFTS_LAST = timedelta(days=30)


@transaction.atomic
def start(association, *, kind, sheets, file_name, options, cleaned, by, now):
    """A file comes in: `sheets` as `spreadsheets.read` gives them, `options` as typed and `cleaned`.

    Returns the Import, its columns proposed by their headings. Earlier files of the same person and kind that were
    never confirmed are forgotten, and everybody's after a month.
    """
    drafts = Import.objects.filter(association=association, status=Import.Status.DRAFT)
    drafts.filter(kind=kind.name, by=by).delete()
    drafts.filter(created_at__lt=now - DRAFTS_LAST).delete()
    kept = [
        {
            "name": sheet.name,
            "rows": [[str(cell) if hasattr(cell, "year") else cell for cell in row] for row in sheet.rows],
        }
        for sheet in sheets
    ]
    proposals = [kind.propose(sheet["rows"], cleaned) for sheet in kept]
    best = max(range(len(kept)), key=lambda n: (len([key for key in proposals[n][1] if key]), _year(kept[n]["name"])))
    heading_line, columns = proposals[best]
    return Import.objects.create(
        association=association,
        kind=kind.name,
        file_name=safe_name(file_name),
        sheets=kept,
        sheet=best,
        heading_line=heading_line,
        columns=columns,
        options=options,
        by=by,
        created_at=now,
    )


def _year(name):
    """The latest year in a sheet's name: of sheets alike, one a year, the last is meant."""
    return max(re.findall(r"20\d\d", name), default="")


def safe_name(file_name):
    """A file's name as it may be shown again: without folders and invisible signs."""
    return re.sub(r"[^\w .,()+-]", "_", PurePath(file_name.replace("\\", "/")).name)[:100] or "-"


@transaction.atomic
def arrange(batch, *, kind, options, cleaned, sheet, heading_line, columns):
    """Change how a waiting file is understood. Another sheet or line of headings: the columns are proposed anew, around
    those chosen by hand at the same time.
    """
    batch = _lock(batch)
    _refuse_unless(batch, Import.Status.DRAFT)
    sheet = min(sheet, len(batch.sheets) - 1)
    moved = (sheet, heading_line) != (batch.sheet, batch.heading_line)
    rows = batch.sheets[sheet]["rows"]
    if sheet != batch.sheet and heading_line == batch.heading_line:
        heading_line, columns = kind.propose(rows, cleaned)
    elif moved or options != batch.options:
        head = rows[heading_line - 1] if 0 < heading_line <= len(rows) else []
        known = kind.columns(cleaned)
        if sheet != batch.sheet:
            columns = []
        elif moved:
            columns = [key if key != before else "" for key, before in zip(columns, batch.columns, strict=False)]
        columns = merge(columns, kind.recognise(head, known, cleaned), {column.key for column in known})
    batch.options, batch.sheet, batch.heading_line, batch.columns = options, sheet, heading_line, columns
    batch.save(update_fields=["options", "sheet", "heading_line", "columns"])
    return batch


def merge(chosen, proposed, known):
    """What was chosen as long as it still means something; what is proposed for the rest."""
    kept = [key if key in known else "" for key in chosen]
    kept += [""] * (len(proposed) - len(kept))
    return [key or ("" if n >= len(proposed) or proposed[n] in kept else proposed[n]) for n, key in enumerate(kept)]


def confirm(batch, *, kind, seen, without_wrong, by, now, today):
    """Write the new and changed lines, all or nothing; returns the Import.

    `seen` is the fingerprint of the preview that was looked at. Refused when the world or the columns have changed
    since, when there is nothing to write, and when lines are wrong unless they are left out on purpose.
    """
    try:
        return _confirm(batch, kind=kind, seen=seen, without_wrong=without_wrong, by=by, now=now, today=today)
    except IntegrityError as error:
        raise _changed_meanwhile() from error


def _changed_meanwhile():
    return Refused(_("Something has changed since you looked. Nothing was written: look again, then confirm."))


@transaction.atomic
def _confirm(batch, *, kind, seen, without_wrong, by, now, today):
    # The association's row: numbers are given in turn, and two lists do not come in at once.
    batch.association = Association.objects.select_for_update(no_key=True).get(pk=batch.association_id)
    association, batch = batch.association, _lock(batch)
    batch.association = association
    _refuse_unless(batch, Import.Status.DRAFT)
    plan = kind.plan(batch, today)
    if plan.problem:
        raise Refused(plan.problem)
    if plan.fingerprint != seen:
        raise _changed_meanwhile()
    count = plan.count("wrong")
    if count and not without_wrong:
        raise Refused(
            ngettext(
                "%(count)d line is wrong: correct the file, or tick that it is left out.",
                "%(count)d lines are wrong: correct the file, or tick that they are left out.",
                count,
            )
            % {"count": count}
        )
    lines = [line for line in plan.lines if line.state in ("new", "changed")]
    if not lines:
        raise Refused(_("There is nothing to write: everything is here already."))
    rows = kind.write(batch, lines, plan.options.cleaned_data, by=by, now=now)
    ImportedRow.objects.bulk_create(rows, batch_size=200)
    batch.new_count, batch.changed_count = plan.count("new"), plan.count("changed")
    batch.confirmed_at, batch.sheets = now, []
    batch.save(update_fields=["new_count", "changed_count", "confirmed_at", "sheets"])
    states.move(batch, to=Import.Status.DONE, by=by, now=now, reason=batch.file_name)
    return batch


@transaction.atomic
def undo(batch, *, kind, by, now):
    """Take an import back: what it made goes, what it changed returns to what it was unless changed since.

    Returns how many changed rows were left as they are. Refused when something depends on what was made.
    """
    Association.objects.select_for_update(no_key=True).get(pk=batch.association_id)
    batch = _lock(batch)
    _refuse_unless(batch, Import.Status.DONE)
    left = kind.undo(batch, by=by, now=now)
    batch.rows.all().delete()
    batch.undone_at = now
    batch.save(update_fields=["undone_at"])
    states.move(batch, to=Import.Status.UNDONE, by=by, now=now, reason=batch.file_name)
    return left


@transaction.atomic
def discard(batch):
    """Forget a file that was not confirmed."""
    batch = _lock(batch)
    _refuse_unless(batch, Import.Status.DRAFT)
    batch.delete()


def _lock(batch):
    found = Import.objects.select_for_update(of=("self",)).select_related("association").filter(pk=batch.pk).first()
    if found is None:
        raise Refused(_("This file has been put aside meanwhile. Send it again."))
    return found


def _refuse_unless(batch, status):
    if batch.status != status:
        raise Refused(
            _("This import is %(state)s: that cannot be done any more.") % {"state": batch.get_status_display()}
        )
