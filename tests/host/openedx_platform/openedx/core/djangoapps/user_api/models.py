"""People who asked for their data to be removed."""

from django.contrib.auth.models import User
from django.db import models
from model_utils.models import TimeStampedModel


class UserRetirementRequest(TimeStampedModel):
    user = models.OneToOneField(User, on_delete=models.CASCADE)
