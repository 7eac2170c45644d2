"""Addresses of pages of this admin."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.db.models import Model
from django.urls import NoReverseMatch, reverse


def change_page(site: AdminSite, instance: Model) -> str:
    """Return the path of the page of a row. Raises NoReverseMatch where its model has none in this admin."""
    options = instance._meta
    return reverse(f"{site.name}:{options.app_label}_{options.model_name}_change", args=[instance.pk])


def change_page_if_any(site: AdminSite, instance: Model) -> str:
    """Return the path of the page of a row of a model that may not be the host's to show, or "" where there is none."""
    try:
        return change_page(site, instance)
    except NoReverseMatch:
        return ""
