from django.db import models


class Organization(models.Model):
    name = models.CharField(max_length=255, db_index=True)
    short_name = models.CharField(max_length=255, unique=True)
    active = models.BooleanField(default=True)
