"""`{% load quantities %}`: amounts of food in the reader's language."""

from django import template

from deliveries.quantities import quantity_text

register = template.Library()
register.filter("quantity", quantity_text)
