"""Completed blocks: the package edx-completion, which needs too much else to be installed here."""

from django.contrib.auth.models import User
from django.db import models
from model_utils.models import TimeStampedModel
from opaque_keys.edx.django.models import LearningContextKeyField, UsageKeyField


class BlockCompletion(TimeStampedModel, models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    context_key = LearningContextKeyField(max_length=255, db_column="course_key")
    block_key = UsageKeyField(max_length=255)
    block_type = models.CharField(max_length=64)
    completion = models.FloatField()

    class Meta:
        unique_together = [("context_key", "block_key", "user")]
