"""Forms around a file: sending it, and saying what its columns mean."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from amap import spreadsheets
from amap.errors import Refused


class FileForm(forms.Form):
    """The file. `cleaned_data["sheets"]` is what is in it."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        max_length=255,
        help_text=gettext_lazy("CSV, XLSX, ODS or XLS, 5 MB at most."),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.ods,.xls"}),
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > spreadsheets.MOST_BYTES:
            raise forms.ValidationError(
                _("The file is larger than %(most)s MB.") % {"most": spreadsheets.MOST_BYTES // 1_000_000}
            )
        try:
            self.cleaned_data["sheets"] = spreadsheets.read(file.read(), file.name)
        except Refused as refused:
            raise forms.ValidationError(str(refused)) from refused
        return file


class ColumnsForm(forms.Form):
    """Which sheet, which line holds the headings, and a select for each column (`column_0`, `column_1` …)."""

    sheet = forms.TypedChoiceField(label=gettext_lazy("Sheet"), coerce=int, required=False, empty_value=0)
    heading_line = forms.IntegerField(
        label=gettext_lazy("Line of the headings"),
        min_value=0,
        max_value=spreadsheets.MOST_ROWS,
        help_text=gettext_lazy("0 when there are none."),
    )

    def __init__(self, *args, batch, table, columns, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sheet"].choices = [(n, sheet["name"]) for n, sheet in enumerate(batch.sheets)]
        self.fields["sheet"].initial = batch.sheet
        self.fields["heading_line"].initial = batch.heading_line
        if len(batch.sheets) == 1:
            self.fields["sheet"].widget = forms.HiddenInput()
        meanings = [("", _("– left out –")), *((column.key, column.label) for column in columns if column.key)]
        self.columns = []
        for n, heading in enumerate(table.headings):
            name = f"column_{n}"
            self.fields[name] = forms.ChoiceField(
                label=heading or _("Column %(number)s") % {"number": n + 1},
                choices=meanings,
                required=False,
                initial=table.chosen[n],
                help_text=table.samples[n],
            )
            self.columns.append(name)

    def column_fields(self):
        return [self[name] for name in self.columns]

    def clean(self):
        data = super().clean()
        chosen = [data.get(name, "") for name in self.columns]
        for name, key in zip(self.columns, chosen, strict=True):
            if key and chosen.count(key) > 1:
                self.add_error(name, _("Chosen for two columns."))
        data["columns"] = chosen
        return data


class ConfirmForm(forms.Form):
    seen = forms.CharField(max_length=64)
    without_wrong = forms.BooleanField(required=False)
