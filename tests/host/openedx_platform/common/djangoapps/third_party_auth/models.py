from django.db import models
from organizations.models import Organization


class CurrentSetManager(models.Manager):
    def current_set(self):
        newest = self.order_by().values("slug").annotate(newest=models.Max("pk")).values("newest")
        return self.filter(pk__in=newest)


class ConfigurationModel(models.Model):
    """What the package `config_models` gives: every change is a row, and the newest row of a key counts."""

    enabled = models.BooleanField(default=False)

    objects = CurrentSetManager()

    class Meta:
        abstract = True


class ProviderConfig(ConfigurationModel):
    KEY_FIELDS = ("slug",)

    name = models.CharField(max_length=50, blank=True)
    slug = models.SlugField(max_length=30, db_index=True, default="default")
    organization = models.ForeignKey(Organization, blank=True, null=True, on_delete=models.CASCADE)

    class Meta:
        abstract = True


class SAMLProviderConfig(ProviderConfig):
    display_name = models.CharField(max_length=35, blank=True)
    backend_name = models.CharField(max_length=50, default="tpa-saml")
    archived = models.BooleanField(default=False)
