"""What belongs to an account, and roles in courses."""

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone
from opaque_keys.edx.django.models import CourseKeyField
from openedx.core.djangoapps.signals.signals import USER_ACCOUNT_ACTIVATED


class UserProfile(models.Model):
    user = models.OneToOneField(User, unique=True, db_index=True, related_name="profile", on_delete=models.CASCADE)
    name = models.CharField(blank=True, max_length=255, db_index=True)

    class Meta:
        db_table = "auth_userprofile"


class Registration(models.Model):
    user = models.OneToOneField(User, on_delete=models.CASCADE)
    activation_key = models.CharField("activation key", max_length=32, unique=True, db_index=True)
    activation_timestamp = models.DateTimeField(default=None, null=True, blank=True)

    class Meta:
        db_table = "auth_registration"

    def activate(self):
        """Mark the account's address as confirmed; who listens may fail without harm."""
        account = self.user
        account.is_active = True
        account.save(update_fields=["is_active"])
        Registration.objects.filter(pk=self.pk).update(activation_timestamp=timezone.now())
        USER_ACCOUNT_ACTIVATED.send_robust(type(self), user=account)


class PendingEmailChange(models.Model):
    """An address that takes effect once its owner has followed the link."""

    user = models.OneToOneField(User, unique=True, db_index=True, on_delete=models.CASCADE)
    new_email = models.CharField(blank=True, max_length=255, db_index=True)
    activation_key = models.CharField("activation key", max_length=32, unique=True, db_index=True)


class AccountRecovery(models.Model):
    user = models.OneToOneField(User, related_name="account_recovery", on_delete=models.CASCADE)
    secondary_email = models.EmailField(unique=True, null=False, blank=False)
    is_active = models.BooleanField(default=False)

    class Meta:
        db_table = "auth_accountrecovery"


class CourseAccessRole(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    org = models.CharField(max_length=64, db_index=True, blank=True)
    course_id = CourseKeyField(db_index=True, blank=True)
    role = models.CharField(max_length=64, db_index=True)

    class Meta:
        unique_together = ("user", "org", "course_id", "role")
