"""Filters every template has: money, shares, dates, in the reader's language."""

from datetime import date, time

from django import template

from amap.dates import date_format, short_day
from amap.euros import equivalents_text, euros_text
from amap.ibans import iban_text
from amap.models import CommitteeSeat
from amap.phones import phone_text
from amap.tokens import token_of
from amap.words import pair

register = template.Library()

_SHORT = {"short": "D j M", "month": "M", "month year": "M Y"}

register.filter("euros", euros_text)
register.filter("iban", iban_text)
register.filter("equivalents", equivalents_text)
register.filter("phone", phone_text)
register.filter("token", token_of)
register.filter("pair", pair)


@register.filter
def role_name(role):
    """`treasurer` → the role in the reader's words; none → empty."""
    return CommitteeSeat.Role(role).label if role else ""


@register.filter(expects_localtime=True)
def day(value, style="long"):
    """`jeudi 26 novembre 2026` / `Thursday 26 November 2026`; None → empty.

    `|day:"weekday"` → `jeudi 26 novembre`; `|day:"short"` → `jeu 26 nov.`; `|day:"date"` → `26 novembre 2026`;
    `|day:"month"` → `nov.`; `|day:"month year"` → `nov. 2026`.
    """
    if not value:
        return ""
    if style in _SHORT:
        return short_day(value, _SHORT[style])
    return date_format(value, {"date": "DATE_FORMAT", "weekday": "l j F"}.get(style, "l j F Y"))


@register.filter
def hour(value):
    """`18:30`: a time of day."""
    return date_format(value, "TIME_FORMAT") if value else ""


@register.filter
def isoday(value, style="long"):
    """`day` for a date written `2026-11-26`, as letters keep them."""
    return day(date.fromisoformat(value), style) if value else ""


@register.filter
def isohour(value):
    """`hour` for a time written `18:00:00`, as letters keep them."""
    return hour(time.fromisoformat(value)) if value else ""
