"""The roster's forms: the roles of an evening, and who takes a shift over."""

from django import forms
from django.forms import BaseFormSet, formset_factory
from django.utils.translation import gettext_lazy as _

from amap.forms.fields import NameField, TextField, WholeField
from amap.models import Farm, Household


class RoleForm(forms.Form):
    """One job of the evening. An empty row is no role."""

    id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = NameField(label=_("Role"), max_length=60, required=False, widget=forms.TextInput({"class": "long"}))
    needed = WholeField(label=_("People"), min_value=1, max_value=30, required=False, initial=1)
    minimum = WholeField(label=_("At least"), min_value=0, max_value=30, required=False)
    is_lead = forms.BooleanField(label=_("Leads the distribution"), required=False)
    farm = forms.ModelChoiceField(
        label=_("Only when this farm delivers"), queryset=Farm.objects.none(), required=False, empty_label=_("always")
    )
    instructions = TextField(
        label=_("What to do"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args, association, **kwargs):
        super().__init__(*args, **kwargs)
        self.association = association
        self.fields["farm"].queryset = Farm.objects.filter(partnerships__association=association)

    def clean_id(self):
        pk = self.cleaned_data["id"]
        if pk and not self.association.shift_roles.filter(pk=pk, is_removed=False).exists():
            raise forms.ValidationError(_("This role does not exist."))
        return pk

    def clean(self):
        data = super().clean()
        if data.get("name") and not data.get("needed") and "needed" not in self.errors:
            self.add_error("needed", _("How many people?"))
        elif "minimum" not in self.errors and "needed" not in self.errors:
            if data["minimum"] is None:
                data["minimum"] = data["needed"]
            elif data["needed"] and data["minimum"] > data["needed"]:
                self.add_error("minimum", _("At most as many as the people needed."))
        return data


class BaseRoles(BaseFormSet):
    def clean(self):
        names = [form.cleaned_data["name"].casefold() for form in self.forms if form.cleaned_data.get("name")]
        if len(names) != len(set(names)):
            raise forms.ValidationError(_("Two roles have the same name."))
        if not names and not any(self.errors):
            raise forms.ValidationError(_("Name at least one role."))

    @property
    def rows(self):
        """What `roster.set_roles` takes."""
        return [form.cleaned_data for form in self.forms if form.cleaned_data.get("name")]


Roles = formset_factory(RoleForm, formset=BaseRoles, extra=1, max_num=20)


class ReplacementForm(forms.Form):
    """Another household takes the shift over."""

    household = forms.ModelChoiceField(
        label=_("Who takes over?"), queryset=Household.objects.none(), empty_label=_("Choose…")
    )

    def __init__(self, *args, association, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["household"].queryset = association.households.filter(left_on=None)
